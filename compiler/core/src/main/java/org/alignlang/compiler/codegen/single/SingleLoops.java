package org.alignlang.compiler.codegen.single;

import com.palantir.javapoet.AnnotationSpec;
import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeName;
import com.palantir.javapoet.TypeSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.codegen.jvm.Frame;
import org.alignlang.compiler.codegen.jvm.InnerLoops;
import org.alignlang.compiler.codegen.jvm.Term;
import org.alignlang.compiler.codegen.jvm.Term.Binding;
import org.alignlang.compiler.codegen.jvm.ValueEmitter;
import org.alignlang.compiler.codegen.jvm.ValueNames;
import org.alignlang.compiler.codegen.jvm.WorkspaceFields;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.plan.Plan;
import org.alignlang.compiler.plan.Planner;
import org.alignlang.compiler.plan.Site;
import org.alignlang.compiler.plan.Site.Scope;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.RowBuffer;
import org.alignlang.kernel.Scratches;
import org.alignlang.kernel.Signature;
import org.jspecify.annotations.Nullable;

/**
 * Inner loops in single precision. Where an objective reads logits, the loops over the vocabulary
 * are written here and those over tokens, which do a thousandth of the work, stay in double
 * precision; where it reads log-probabilities, the loops over tokens are written here.
 */
public final class SingleLoops implements InnerLoops {
  private @Nullable Context context;
  private @Nullable ClassName scratchType;

  /** Names of row buffers in the scratch room, by input. */
  private final Map<String, String> buffers = new LinkedHashMap<>();

  private final Set<String> scratchNames = new HashSet<>(Set.of("sums", "blocks"));
  private final List<MethodSpec> methods = new ArrayList<>();
  private final Map<Frame, Map<String, Row>> opened = new IdentityHashMap<>();
  private final Map<Frame, Map<Node, Softmax>> softmaxes = new IdentityHashMap<>();
  private final Map<String, Boolean> single = new HashMap<>();
  private final boolean vectors;
  private int mostSums = 1;
  private int mostBlocks;
  private int mostMasks;

  private SingleLoops(boolean vectors) {
    this.vectors = vectors;
  }

  /** Loops through the Vector API. */
  public static SingleLoops vectors() {
    return new SingleLoops(true);
  }

  /** Loops that need nothing but Java: operations on blocks. */
  public static SingleLoops blocks() {
    return new SingleLoops(false);
  }

  /** A loop to be written. */
  LoopBody body() {
    return vectors ? new VectorBody() : new BlockBody();
  }

  /** What is common to all loops of a kernel. */
  record Context(
      Plan plan, ClassName kernel, WorkspaceFields fields, ValueNames names, ValueEmitter values) {}

  /** An open row of a column: an array and where the row begins, as Java source. */
  record Row(String array, String first) {}

  /**
   * A softmax whose normaliser is known: {@code probability = 2^(x LOG2E - shift) / total}.
   *
   * @param shift the name of the shift
   * @param total the name of the total
   * @param stored the row in which the numerators are, if they are kept
   */
  record Softmax(String shift, String total, Optional<Row> stored) {}

  @Override
  public void begin(
      Plan plan, ClassName kernel, WorkspaceFields fields, ValueNames names, ValueEmitter values) {
    context = new Context(plan, kernel, fields, names, values);
    scratchType = kernel.nestedClass(kernel.simpleName().equals("Scratch") ? "Room" : "Scratch");
  }

  Context context() {
    return Objects.requireNonNull(context, "loops have not begun");
  }

  @Override
  public TypeName columnType(Signature.Input input) {
    if (input.level() == Level.VOCAB) {
      return COLUMN;
    }
    boolean floats = input.level() == Level.TOKEN && singleTokens(input.sequence());
    return floats ? LoopBody.FLOATS : WorkspaceFields.DOUBLES;
  }

  @Override
  public boolean singleGradients() {
    return true;
  }

  @Override
  public boolean singleTokens(String owner) {
    return single.computeIfAbsent(
        owner,
        name ->
            !isLaidOut(name)
                && context().plan().sites().entrySet().stream()
                    .filter(entry -> entry.getKey().owner().equals(name))
                    .allMatch(entry ->
                        entry.getKey().scope() == Scope.TOKEN && supports(entry.getValue())));
  }

  /** Whether tokens of a sequence are ordered or matched: in double precision, all of them. */
  private boolean isLaidOut(String owner) {
    return context().plan().sites().values().stream()
        .flatMap(block -> block.computed().stream())
        .filter(n -> n.domain().level() == Level.TOKEN)
        .filter(n -> Planner.isLaid(n) || n.operation() instanceof Operation.Beside)
        .anyMatch(n ->
            n.domain().owner().equals(owner)
                || n.operands().stream().anyMatch(x -> x.domain().owner().equals(owner)));
  }

  private static boolean supports(Plan.Block block) {
    return block.computed().stream().allMatch(Elements::supports)
        && block.computed().stream().noneMatch(n -> n.operation() instanceof Operation.OneHot)
        && block.reduced().stream().allMatch(Elements::supports);
  }

  @Override
  public Optional<ClassName> scratch() {
    return Optional.ofNullable(scratchType);
  }

  @Override
  public Term entry(Signature.Input input, Frame frame) {
    Row row = row(input, frame.at(Scope.TOKEN));
    return Term.number(
        CodeBlock.of("(double) $L[$L + $L]", row.array(), row.first(), frame.index()),
        Binding.PREFIX);
  }

  @Override
  public CodeBlock wholeRow(Signature.Input input, Frame token) {
    Row row = row(input, token);
    return CodeBlock.of("$L, $L", row.array(), row.first());
  }

  /** The row of a vocabulary column at a token, opened where it is first needed. */
  Row row(Signature.Input input, Frame token) {
    return opened
        .computeIfAbsent(token, _ -> new HashMap<>())
        .computeIfAbsent(
            input.name(),
            name -> {
              String buffer =
                  buffers.computeIfAbsent(
                      name, n -> JavaText.unique(JavaText.variable(n), scratchNames));
              String array = JavaText.unique(JavaText.variable(name) + "Row", token.taken());
              String first = JavaText.unique(array + "First", token.taken());
              String column = ValueEmitter.array(context().fields().column(name), COLUMN, token);
              token
                  .code()
                  .addStatement(
                      "scratch.$L.open($L, $L, $L)",
                      buffer,
                      column,
                      context().values().first(token),
                      context().fields().vocabulary())
                  .addStatement("final float[] $L = scratch.$L.array()", array, buffer)
                  .addStatement("final int $L = scratch.$L.first()", first, buffer);
              return new Row(array, first);
            });
  }

  @Override
  public CodeBlock gradientEntry(String input, Frame frame) {
    Row row = gradientRow(input, frame.at(Scope.TOKEN));
    return CodeBlock.of("$L[$L + $L]", row.array(), row.first(), frame.index());
  }

  /** The row of a gradient at a token, found where it is first needed. */
  Row gradientRow(String input, Frame token) {
    return opened
        .computeIfAbsent(token, _ -> new HashMap<>())
        .computeIfAbsent(
            "gradient of " + input,
            _ -> {
              String field = context().fields().gradient(input);
              String rows = ValueEmitter.array(field, WorkspaceFields.GRADIENT_ROWS, token);
              String array = JavaText.unique(field + "Row", token.taken());
              String first = JavaText.unique(array + "First", token.taken());
              // Where first: rows that are made on demand may come to lie elsewhere.
              token
                  .code()
                  .addStatement(
                      "final int $L = $L.first($L)", first, rows, context().values().first(token))
                  .addStatement("final float[] $L = $L.array()", array, rows);
              return new Row(array, first);
            });
  }

  /** What is known about softmaxes at a token or row. */
  Map<Node, Softmax> softmaxes(Frame frame) {
    return softmaxes.computeIfAbsent(frame, _ -> new HashMap<>());
  }

  /** Adds a method that goes over a stretch. */
  void add(String name, LoopBody body, String documentation) {
    methods.addAll(body.methods(name, documentation));
    if (body instanceof BlockBody written) {
      mostBlocks = Math.max(mostBlocks, written.blocks());
      mostMasks = Math.max(mostMasks, written.masks());
    }
    mostSums = Math.max(mostSums, body.results());
  }

  @Override
  public boolean vocabulary(Site site, Plan.Block block, Frame token) {
    boolean supported =
        block.computed().stream().allMatch(Elements::supports)
            && block.reduced().stream().allMatch(Elements::supports)
            && !readsOrders(block);
    if (!supported) {
      return false;
    }
    Context c = context();
    new StretchLoop(this, c, Scope.VOCAB, site, block, token, c.fields().vocabulary()).write();
    return true;
  }

  /** Whether a loop reads entries of the vocabulary in another order. */
  private static boolean readsOrders(Plan.Block block) {
    return Stream.of(
            block.computed().stream().flatMap(node -> node.operands().stream()),
            block.reduced().stream().flatMap(node -> node.operands().stream()),
            block.written().stream().map(Plan.Output::value))
        .flatMap(nodes -> nodes)
        .map(Plan::base)
        .anyMatch(Planner::isOrderOfEntries);
  }

  @Override
  public MethodSpec tokens(String name, String owner, TreeMap<Site, Plan.Block> sites) {
    Context c = context();
    Frame start = Frame.method(JavaText.inner(WorkspaceFields.RESERVED));
    Frame row = start.inner(Scope.ROW, "row");
    row.taken().addAll(Set.of("first", "length"));
    String offsets = ValueEmitter.array(c.fields().offsets(owner), WorkspaceFields.INTS, row);
    row.code()
        .addStatement("final int first = $L[row]", offsets)
        .addStatement("final int length = $L[row + 1] - first", offsets);
    sites.forEach(
        (site, block) -> new StretchLoop(this, c, Scope.TOKEN, site, block, row, "length").write());
    return MethodSpec.methodBuilder(name)
        .addModifiers(Modifier.PRIVATE)
        .addParameter(TypeName.INT, "row")
        .addParameter(Objects.requireNonNull(scratchType), "scratch")
        .addCode(start.code().build())
        .addCode(row.code().build())
        .build();
  }

  @Override
  public void declare(TypeSpec.Builder kernel, TypeSpec.Builder workspace) {
    ClassName room = Objects.requireNonNull(scratchType);
    // Casts stand wherever a value becomes single; some are of values that are so already.
    kernel.addAnnotation(
        AnnotationSpec.builder(SuppressWarnings.class).addMember("value", "$S", "cast").build());
    if (vectors) {
      declareSpecies(kernel);
    } else {
      kernel.addField(
          constant(TypeName.INT, "LANES").initializer("$T.LANES", BlockBody.BLOCKS).build());
    }
    kernel.addField(
        constant(TypeName.INT, "BLOCK")
            .addJavadoc("How many numbers are added up in single precision.\n")
            .initializer(
                vectors ? CodeBlock.of("2048") : CodeBlock.of("64 * $T.SIZE", BlockBody.BLOCKS))
            .build());
    kernel.addField(
        constant(TypeName.INT, "SAMPLE")
            .addJavadoc("How many numbers are looked at to guess the largest.\n")
            .initializer("32")
            .build());
    kernel.addField(
        constant(TypeName.DOUBLE, "NATS")
            .addJavadoc("One unit of a base-2 logarithm in nats.\n")
            .initializer("1 / (double) $L", LoopBody.literal(VectorFunctions.LOG2E))
            .build());
    ParameterizedTypeName pool = ParameterizedTypeName.get(ClassName.get(Scratches.class), room);
    workspace.addField(
        FieldSpec.builder(pool, "scratches", Modifier.PRIVATE, Modifier.FINAL)
            .initializer("new $T<>($T::new)", Scratches.class, room)
            .build());
    methods.forEach(workspace::addMethod);
    TypeSpec.Builder scratch =
        TypeSpec.classBuilder(room)
            .addModifiers(Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
            .addJavadoc("Room for one thread.\n")
            .addField(
                FieldSpec.builder(LoopBody.FLOATS, "sums", Modifier.FINAL)
                    .initializer("new float[$L * LANES]", mostSums)
                    .build());
    buffers
        .values()
        .forEach(name ->
            scratch.addField(
                FieldSpec.builder(RowBuffer.class, name, Modifier.FINAL)
                    .initializer("new $T()", RowBuffer.class)
                    .build()));
    if (!vectors) {
      scratch.addField(
          FieldSpec.builder(BlockBody.BLOCKS, "blocks", Modifier.FINAL)
              .initializer("new $T($L, $L)", BlockBody.BLOCKS, mostBlocks, mostMasks)
              .build());
    }
    kernel.addType(scratch.build());
  }

  private static void declareSpecies(TypeSpec.Builder kernel) {
    kernel.addField(
        constant(
                ParameterizedTypeName.get(VectorBody.SPECIES, ClassName.get(Float.class)),
                "SPECIES")
            .initializer("$T.SPECIES_PREFERRED", VectorBody.VECTOR)
            .build());
    kernel.addField(
        constant(
                ParameterizedTypeName.get(VectorBody.SPECIES, ClassName.get(Integer.class)),
                "INT_SPECIES")
            .addJavadoc(
                "A constant: a species that is computed in a method makes vectors objects.\n")
            .initializer("SPECIES.withLanes(int.class)")
            .build());
    kernel.addField(constant(TypeName.INT, "LANES").initializer("SPECIES.length()").build());
  }

  private static FieldSpec.Builder constant(TypeName type, String name) {
    return FieldSpec.builder(type, name, Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL);
  }
}
