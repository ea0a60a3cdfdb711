import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeModel;
import java.lang.classfile.Label;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.DirectMethodHandleDesc;
import java.lang.constant.MethodTypeDesc;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;

/**
 * Rewrites a jar so that its classes need not be linked at run time where Java links late: the type
 * tests of pattern switches ({@code SwitchBootstraps.typeSwitch}) become methods of their class, and
 * {@code equals} and {@code hashCode} of records ({@code ObjectMethods}) become code. Java spins a
 * class or a tree of method handles for each when it is first used, about a millisecond each time
 * and a quarter of what {@code align check} took; archives of classes keep the results for lambdas
 * only. The meaning stays: what is rewritten is what the Javadoc of the two bootstrap methods says.
 *
 * <p>{@code java LinkAhead.java JAR PACKAGE-FOLDER}: only classes below the folder are rewritten.
 */
public final class LinkAhead {
  private static final ClassDesc OBJECTS = ClassDesc.of("java.util.Objects");
  private static final MethodTypeDesc SWITCH =
      MethodTypeDesc.of(ConstantDescs.CD_int, ConstantDescs.CD_Object, ConstantDescs.CD_int);

  private final ClassFile classFile;
  private int switches;
  private int records;

  private LinkAhead(ClassLoader loader) {
    classFile =
        ClassFile.of(
            ClassFile.ClassHierarchyResolverOption.of(
                ClassHierarchyResolver.ofClassLoading(loader)
                    .orElse(ClassHierarchyResolver.defaultResolver())));
  }

  public static void main(String[] arguments) throws IOException {
    Path jar = Path.of(arguments[0]);
    Path rewritten = Path.of(arguments[0] + ".linked");
    try (URLClassLoader loader =
            new URLClassLoader(new URL[] {jar.toUri().toURL()}, ClassLoader.getPlatformClassLoader());
        JarFile from = new JarFile(jar.toFile());
        JarOutputStream to =
            new JarOutputStream(new BufferedOutputStream(Files.newOutputStream(rewritten)))) {
      LinkAhead linker = new LinkAhead(loader);
      for (JarEntry entry : (Iterable<JarEntry>) from.stream()::iterator) {
        JarEntry copy = new JarEntry(entry.getName());
        copy.setTime(entry.getTime());
        to.putNextEntry(copy);
        try (var in = new BufferedInputStream(from.getInputStream(entry))) {
          byte[] bytes = in.readAllBytes();
          // What needs classes that are not in the jar cannot be verified, and stays as it is.
          boolean ours =
              entry.getName().startsWith(arguments[1])
                  && !entry.getName().startsWith(arguments[1] + "tornado/")
                  && entry.getName().endsWith(".class");
          to.write(ours ? linker.rewrite(bytes) : bytes);
        }
        to.closeEntry();
      }
      System.out.println(
          linker.switches + " pattern switches and " + linker.records + " record methods linked");
    }
    Files.move(rewritten, jar, StandardCopyOption.REPLACE_EXISTING);
  }

  /** A pattern switch whose cases are types, with the method that does its tests. */
  private record Switch(InvokeDynamicInstruction call, String method, List<ClassDesc> types) {}

  private byte[] rewrite(byte[] bytes) {
    ClassModel type = classFile.parse(bytes);
    List<Switch> found = new ArrayList<>();
    boolean record = false;
    for (MethodModel method : type.methods()) {
      record |= recordMethod(method) != null;
      method
          .code()
          .ifPresent(code -> code.forEach(element -> {
            if (element instanceof InvokeDynamicInstruction call && isTypeSwitch(call)) {
              found.add(new Switch(call, "typeSwitch$" + found.size(), types(call)));
            }
          }));
    }
    if (found.isEmpty() && !record) {
      return bytes;
    }
    ClassDesc self = type.thisClass().asSymbol();
    boolean isInterface = (type.flags().flagsMask() & ClassFile.ACC_INTERFACE) != 0;
    int[] next = {0};
    ClassTransform transform =
        (builder, element) -> {
          if (element instanceof MethodModel method && recordMethod(method) != null) {
            InvokeDynamicInstruction call = recordMethod(method);
            records++;
            builder.withMethodBody(
                method.methodName(),
                method.methodType(),
                method.flags().flagsMask(),
                code -> {
                  if (call.name().equalsString("equals")) {
                    equality(code, self, fields(call));
                  } else {
                    hash(code, self, fields(call));
                  }
                });
          } else if (element instanceof MethodModel method && hasSwitch(method)) {
            builder.transformMethod(
                method,
                java.lang.classfile.MethodTransform.transformingCode((code, instruction) -> {
                  if (instruction instanceof InvokeDynamicInstruction call && isTypeSwitch(call)) {
                    Switch replaced = found.get(next[0]++);
                    code.invokestatic(self, replaced.method(), SWITCH, isInterface);
                  } else {
                    code.with(instruction);
                  }
                }));
          } else {
            builder.with(element);
          }
        };
    byte[] rewritten =
        classFile.transformClass(
            type,
            transform.andThen(
                ClassTransform.endHandler(builder -> {
                  for (Switch each : found) {
                    builder.withMethodBody(
                        each.method(),
                        SWITCH,
                        ClassFile.ACC_PRIVATE | ClassFile.ACC_STATIC | ClassFile.ACC_SYNTHETIC,
                        code -> tests(code, each.types()));
                  }
                })));
    switches += found.size();
    List<VerifyError> errors = classFile.verify(rewritten);
    if (!errors.isEmpty() || next[0] != found.size()) {
      throw new IllegalStateException(self.displayName() + ": " + errors);
    }
    return rewritten;
  }

  private static boolean hasSwitch(MethodModel method) {
    return method.code().stream()
        .flatMap(CodeModel::elementStream)
        .anyMatch(e -> e instanceof InvokeDynamicInstruction call && isTypeSwitch(call));
  }

  private static boolean isTypeSwitch(InvokeDynamicInstruction call) {
    DirectMethodHandleDesc bootstrap = call.bootstrapMethod();
    return bootstrap.methodName().equals("typeSwitch")
        && bootstrap.owner().equals(ClassDesc.of("java.lang.runtime.SwitchBootstraps"))
        && !call.typeSymbol().parameterType(0).isPrimitive()
        && call.bootstrapArgs().stream()
            .allMatch(a -> a instanceof ClassDesc label && label.isClassOrInterface());
  }

  private static List<ClassDesc> types(InvokeDynamicInstruction call) {
    return call.bootstrapArgs().stream().map(ClassDesc.class::cast).toList();
  }

  /** The index of the first type at or behind a place that a value has; -1 for null. */
  private static void tests(CodeBuilder code, List<ClassDesc> types) {
    Label some = code.newLabel();
    code.aload(0).ifnonnull(some).iconst_m1().ireturn().labelBinding(some);
    for (int i = 0; i < types.size(); i++) {
      Label next = code.newLabel();
      code.iload(1).loadConstant(i).if_icmpgt(next);
      code.aload(0).instanceOf(types.get(i)).ifeq(next).loadConstant(i).ireturn();
      code.labelBinding(next);
    }
    code.loadConstant(types.size()).ireturn();
  }

  /** The call that a record's equals or hashCode consists of, or null. */
  private static InvokeDynamicInstruction recordMethod(MethodModel method) {
    boolean named =
        method.methodName().equalsString("equals") || method.methodName().equalsString("hashCode");
    return !named || method.code().isEmpty()
        ? null
        : method.code().get().elementStream()
            .filter(InvokeDynamicInstruction.class::isInstance)
            .map(InvokeDynamicInstruction.class::cast)
            .filter(call ->
                call.bootstrapMethod()
                    .owner()
                    .equals(ClassDesc.of("java.lang.runtime.ObjectMethods")))
            .findFirst()
            .orElse(null);
  }

  private static List<DirectMethodHandleDesc> fields(InvokeDynamicInstruction call) {
    List<ConstantDesc> arguments = call.bootstrapArgs();
    return arguments.subList(2, arguments.size()).stream()
        .map(DirectMethodHandleDesc.class::cast)
        .toList();
  }

  private static void get(CodeBuilder code, ClassDesc self, DirectMethodHandleDesc field) {
    code.getfield(self, field.methodName(), field.invocationType().returnType());
  }

  private static ClassDesc type(DirectMethodHandleDesc field) {
    return field.invocationType().returnType();
  }

  private static void hash(CodeBuilder code, ClassDesc self, List<DirectMethodHandleDesc> fields) {
    code.iconst_0();
    for (DirectMethodHandleDesc field : fields) {
      code.loadConstant(31).imul().aload(0);
      get(code, self, field);
      ClassDesc type = type(field);
      if (type.isPrimitive()) {
        code.invokestatic(
            box(type), "hashCode", MethodTypeDesc.of(ConstantDescs.CD_int, type));
      } else {
        code.invokestatic(
            OBJECTS,
            "hashCode",
            MethodTypeDesc.of(ConstantDescs.CD_int, ConstantDescs.CD_Object));
      }
      code.iadd();
    }
    code.ireturn();
  }

  private static void equality(
      CodeBuilder code, ClassDesc self, List<DirectMethodHandleDesc> fields) {
    Label other = code.newLabel();
    Label alike = code.newLabel();
    Label different = code.newLabel();
    code.aload(0).aload(1).if_acmpne(other).iconst_1().ireturn().labelBinding(other);
    code.aload(1).instanceOf(self).ifne(alike).iconst_0().ireturn().labelBinding(alike);
    code.aload(1).checkcast(self).astore(2);
    for (DirectMethodHandleDesc field : fields) {
      code.aload(0);
      get(code, self, field);
      code.aload(2);
      get(code, self, field);
      ClassDesc type = type(field);
      if (type.isPrimitive()) {
        code.invokestatic(
                box(type), "compare", MethodTypeDesc.of(ConstantDescs.CD_int, type, type))
            .ifne(different);
      } else {
        code.invokestatic(
                OBJECTS,
                "equals",
                MethodTypeDesc.of(
                    ConstantDescs.CD_boolean, ConstantDescs.CD_Object, ConstantDescs.CD_Object))
            .ifeq(different);
      }
    }
    code.iconst_1().ireturn();
    if (!fields.isEmpty()) {
      code.labelBinding(different).iconst_0().ireturn();
    }
  }

  private static ClassDesc box(ClassDesc primitive) {
    return switch (primitive.descriptorString()) {
      case "Z" -> ConstantDescs.CD_Boolean;
      case "B" -> ConstantDescs.CD_Byte;
      case "S" -> ConstantDescs.CD_Short;
      case "C" -> ConstantDescs.CD_Character;
      case "I" -> ConstantDescs.CD_Integer;
      case "J" -> ConstantDescs.CD_Long;
      case "F" -> ConstantDescs.CD_Float;
      default -> ConstantDescs.CD_Double;
    };
  }
}
