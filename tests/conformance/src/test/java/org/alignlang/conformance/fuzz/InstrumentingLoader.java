package org.alignlang.conformance.fuzz;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.instruction.LabelTarget;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.List;
import java.util.function.Function;

/** Loads the compiler once more, with a call of {@link Edges#hit} wherever a jump can lead. */
final class InstrumentingLoader extends ClassLoader {
  private static final List<String> INSTRUMENTED =
      List.of("org.alignlang.compiler.", "org.alignlang.grammar.", Pipeline.class.getName());

  private static final ClassDesc EDGES = ClassDesc.of(Edges.class.getName());
  private static final MethodTypeDesc HIT =
      MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int);

  private final ClassFile classFile;
  private int places;

  private InstrumentingLoader(ClassLoader parent) {
    super(parent);
    classFile =
        ClassFile.of(
            ClassFile.DebugElementsOption.DROP_DEBUG,
            ClassFile.ClassHierarchyResolverOption.of(
                ClassHierarchyResolver.ofResourceParsing(parent)
                    .orElse(ClassHierarchyResolver.defaultResolver())
                    .cached()));
  }

  /** The pipeline with instruments. */
  @SuppressWarnings("unchecked")
  static Function<String, String> pipeline() {
    ClassLoader loader = new InstrumentingLoader(Pipeline.class.getClassLoader());
    try {
      return (Function<String, String>)
          loader.loadClass(Pipeline.class.getName()).getConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (INSTRUMENTED.stream().noneMatch(name::startsWith)) {
      return super.loadClass(name, resolve);
    }
    synchronized (getClassLoadingLock(name)) {
      Class<?> known = findLoadedClass(name);
      return known != null ? known : findClass(name);
    }
  }

  @Override
  protected Class<?> findClass(String name) throws ClassNotFoundException {
    String file = name.replace('.', '/') + ".class";
    try (InputStream stream = getParent().getResourceAsStream(file)) {
      if (stream == null) {
        throw new ClassNotFoundException(name);
      }
      byte[] bytes = instrumented(stream.readAllBytes());
      return defineClass(name, bytes, 0, bytes.length, Pipeline.class.getProtectionDomain());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private byte[] instrumented(byte[] bytes) {
    return classFile.transformClass(
        classFile.parse(bytes),
        ClassTransform.transformingMethodBodies((code, element) -> {
          code.with(element);
          if (element instanceof LabelTarget) {
            code.loadConstant(++places).invokestatic(EDGES, "hit", HIT);
          }
        }));
  }
}
