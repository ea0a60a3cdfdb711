package org.alignlang.compiler.codegen.tornado;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeName;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.Modifier;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.codegen.jvm.Term.Binding;
import org.alignlang.compiler.codegen.jvm.Uses;
import org.alignlang.compiler.codegen.jvm.ValueNames;
import org.alignlang.compiler.codegen.tornado.Kernels.Item;
import org.alignlang.compiler.codegen.tornado.Kernels.Kernel;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.plan.Plan;
import org.alignlang.compiler.plan.Planner;
import org.alignlang.compiler.plan.Site;
import org.alignlang.compiler.plan.Site.Scope;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;
import org.alignlang.tornado.DeviceException;
import org.alignlang.tornado.DeviceLayout;
import org.alignlang.tornado.DeviceMath;

/** Writes one kernel as a static method. */
final class KernelEmitter {
  static final ClassName CONTEXT = ClassName.get("uk.ac.manchester.tornado.api", "KernelContext");
  private static final String ARRAYS = "uk.ac.manchester.tornado.api.types.arrays";
  private static final ClassName INTS = ClassName.get(ARRAYS, "IntArray");
  private static final ClassName DOUBLES = ClassName.get(ARRAYS, "DoubleArray");
  private static final ClassName FLOATS = ClassName.get(ARRAYS, "FloatArray");

  /** The most arguments of a task, of which the context and the number of threads are two. */
  private static final int MAXIMUM_ARGUMENTS = 20;

  /** Names that kernels have for other things. */
  private static final Set<String> RESERVED =
      Set.of("context", "lane", "lanes", "shared", "half", "row", "token");

  private final Plan plan;
  private final Signature signature;
  private final Kernels kernels;
  private final Kernel kernel;
  private final int number;
  private final String name;
  private final Slots slots;
  private final ValueNames names;
  private final Uses uses;
  private final List<DeviceLayout.Check> checks;

  /** The kernel's arrays, by how the host gets at them. */
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();

  private final Frame start;
  private final Frame row;
  private final Frame token;

  /** What the first thread of a group writes at the end. */
  private final CodeBlock.Builder stores = CodeBlock.builder();

  /** Per body of a token loop, the values of the taken token's entry. */
  private final Map<Frame, Map<Node, Value>> entries = new HashMap<>();

  /** How many numbers each thread shares with its group. */
  private int shared;

  /**
   * A parameter of the method.
   *
   * @param argument the expression of the array among {@code arrays}
   */
  record Parameter(String name, TypeName type, CodeBlock argument) {}

  KernelEmitter(
      Plan plan,
      Kernels kernels,
      int number,
      String name,
      Slots slots,
      ValueNames names,
      Uses uses,
      List<DeviceLayout.Check> checks) {
    this.plan = plan;
    signature = plan.program().signature();
    this.kernels = kernels;
    kernel = kernels.all().get(number);
    this.number = number;
    this.name = name;
    this.slots = slots;
    this.names = names;
    this.uses = uses;
    this.checks = checks;
    start = Frame.kernel(new HashSet<>(RESERVED));
    row = start.inner(Scope.ROW, "row");
    token = row.inner(Scope.TOKEN, "token");
  }

  /** The parameters that the method turned out to need, after the context and the threads. */
  List<Parameter> parameters() {
    return List.copyOf(parameters.values());
  }

  /**
   * Writes the method.
   *
   * @throws DeviceException if it would take more arrays than a task can have
   */
  MethodSpec emit() {
    for (Item item : kernel.items()) {
      switch (item) {
        case Item.Values values -> emitValues(values.site(), values.block());
        case Item.Tokens tokens -> emitTokens(tokens.owner(), tokens.sites());
        case Item.Sums sums -> emitSums(sums.owner(), sums.reductions());
        case Item.Vocabulary vocabulary -> emitVocabulary(vocabulary.sites());
      }
    }
    String evidence = array("evidence", INTS);
    String call = size("CALL", "call");
    if (parameters.size() + 2 > MAXIMUM_ARGUMENTS) {
      throw new DeviceException(
          "`%s` needs %d arrays at once in its kernel `%s`; TornadoVM passes %d"
              .formatted(signature.objective(), parameters.size(), name, MAXIMUM_ARGUMENTS - 2));
    }
    MethodSpec.Builder method =
        MethodSpec.methodBuilder(name)
            .addModifiers(Modifier.PUBLIC, Modifier.STATIC)
            .addJavadoc("$L\n", JavaText.javadoc(documentation()))
            .addParameter(CONTEXT, "context")
            .addParameter(TypeName.INT, "lanes");
    parameters.values().forEach(p -> method.addParameter(p.type(), p.name()));
    method.addStatement("final int lane = context.localIdx");
    if (shared > 0) {
      method.addStatement(
          "final double[] shared = context.allocateDoubleLocalArray($L * lanes)", shared);
    }
    switch (kernel.kind()) {
      case ROWS -> method.addStatement("final int row = context.groupIdx");
      case TOKENS -> method.addStatement("final int token = context.groupIdx");
      case BATCH -> {}
    }
    method.addCode(start.code().build());
    method.addCode(row.code().build());
    method.addCode(token.code().build());
    CodeBlock writes = stores.build();
    if (!writes.isEmpty()) {
      method.beginControlFlow("if (lane == 0)").addCode(writes).endControlFlow();
    }
    return method
        .beginControlFlow("if (context.globalIdx == context.globalGroupSizeX - 1)")
        .addStatement(
            "$L.set($L, $T.evidence($L, context.globalGroupSizeX, lane))",
            evidence,
            number,
            DeviceLayout.class,
            call)
        .endControlFlow()
        .build();
  }

  private String documentation() {
    return switch (kernel.kind()) {
      case BATCH ->
          kernel.pass() < 0
              ? "What is known before the rows are visited. One group of threads."
              : "What the rows come to. One group of threads.";
      case ROWS -> "A group of threads for each row.";
      case TOKENS -> "A group of threads for each token of `" + kernel.owner() + "`.";
    };
  }

  private static Scope scope(Node node) {
    return Scope.of(node.domain().level());
  }

  private static String unique(String wanted, Frame frame) {
    return JavaText.unique(wanted, frame.taken());
  }

  // Parameters, and whole numbers with a name.

  private String parameter(String wanted, TypeName type, CodeBlock argument) {
    return parameters
        .computeIfAbsent(
            argument.toString(),
            _ -> {
              // The device's code has the name, too, and takes no letters but these.
              String plain = wanted.matches("[A-Za-z][A-Za-z0-9]*") ? wanted : "numbers";
              return new Parameter(unique(plain, start), type, argument);
            })
        .name();
  }

  private String array(String wanted, TypeName type) {
    return parameter(wanted, type, CodeBlock.of("arrays.$L()", wanted));
  }

  private String array(String sequence, String wanted, TypeName type) {
    return parameter(
        of(sequence, wanted), type, CodeBlock.of("arrays.$L($L)", wanted, JavaText.text(sequence)));
  }

  /** A word about a sequence; without the sequence where there is only one. */
  private static String of(String sequence, String wanted) {
    return sequence.equals("y")
        ? wanted
        : JavaText.variable(sequence)
            + Character.toUpperCase(wanted.charAt(0))
            + wanted.substring(1);
  }

  /** A whole number, written down where it is first needed. */
  private String local(String key, Frame frame, String wanted, Supplier<CodeBlock> code) {
    String known = frame.locals().get(key);
    if (known != null) {
      return known;
    }
    CodeBlock value = code.get();
    String local = unique(wanted, frame);
    frame.locals().put(key, local);
    frame.code().addStatement("final int $L = $L", local, value);
    return local;
  }

  private String size(String constant, String wanted) {
    return local(
        constant,
        start,
        wanted,
        () -> CodeBlock.of("$L.get($T.$L)", array("sizes", INTS), DeviceLayout.class, constant));
  }

  private String rows() {
    return size("ROWS", "rows");
  }

  private String groups() {
    return size("GROUPS", "groups");
  }

  private String tokens(String sequence) {
    int position = signature.sequences().indexOf(sequence);
    return local(
        "tokens of " + sequence,
        start,
        of(sequence, "tokens"),
        () ->
            CodeBlock.of(
                "$L.get($T.TOKENS$L)",
                array("sizes", INTS),
                DeviceLayout.class,
                position == 0 ? "" : " + " + position));
  }

  /** The row of a frame. */
  private String rowIndex(Frame frame) {
    Frame place = frame.at(Scope.ROW);
    if (kernel.kind() == Kernels.Kind.TOKENS && place == row && !row.locals().containsKey("row")) {
      row.locals().put("row", "row");
      row.code()
          .addStatement("final int row = $L.get(token)", array(kernel.owner(), "rowOfToken", INTS));
    }
    return place.index();
  }

  /** The group of a frame. */
  private String groupIndex(Frame frame) {
    if (frame.scope() == Scope.GROUP) {
      return frame.index();
    }
    Frame place = frame.at(Scope.ROW);
    String index = rowIndex(place);
    return local(
        "group",
        place,
        "group",
        () -> CodeBlock.of("$L.get($L)", array("groupOfRow", INTS), index));
  }

  /** Where the tokens of a row begin. */
  private String begin(String owner, Frame frame) {
    Frame place = frame.at(Scope.ROW);
    return local("begin of " + owner, place, of(owner, "begin"), () -> offset(owner, place, 0));
  }

  /** Where the tokens of a row end. */
  private String end(String owner, Frame frame) {
    Frame place = frame.at(Scope.ROW);
    return local("end of " + owner, place, of(owner, "end"), () -> offset(owner, place, 1));
  }

  private CodeBlock offset(String owner, Frame frame, int next) {
    int position = signature.sequences().indexOf(owner);
    String more = next == 0 ? "" : " + 1";
    String index = rowIndex(frame);
    return position == 0
        ? CodeBlock.of("$L.get($L$L)", array("offsets", INTS), index, more)
        : CodeBlock.of(
            "$L.get($L($L + 1) + $L$L)",
            array("offsets", INTS),
            position == 1 ? "" : position + " * ",
            rows(),
            index,
            more);
  }

  /** The position of a token's first logit. */
  private String first(Frame frame) {
    Frame place = frame.at(Scope.TOKEN);
    return local(
        "first",
        place,
        "first",
        () -> CodeBlock.of("$L * $L", place.index(), size("VOCABULARY", "vocabulary")));
  }

  private String taken(String sequence, Frame frame) {
    Frame place = frame.at(Scope.TOKEN);
    return local(
        "taken",
        place,
        "takenToken",
        () -> CodeBlock.of("$L.get($L)", array(sequence, "takenTokens", INTS), place.index()));
  }

  // Values that are used.

  /** The expression of a value that is used in a frame. */
  private Value use(Node node, Frame frame) {
    Node value = Plan.base(node);
    if (value.operation() instanceof Operation.Constant constant
        && Value.isLiteral(constant.value())) {
      return Value.literal(constant.value());
    }
    Optional<Value> known = frame.find(value);
    Value found = known.isPresent() ? known.get() : load(value, frame);
    if (frame.scope() != Scope.VOCAB || scope(value) == Scope.VOCAB) {
      return found;
    }
    return coarse("value " + value.number(), found, place(value, frame));
  }

  /** A value that is the same for all logits of a loop: it is rounded before the loop if at all. */
  private Value coarse(String key, Value value, Frame place) {
    Supplier<CodeBlock> single =
        () ->
            once(key, value, place, "Single", CodeBlock.of("(float) $L", value.at(Binding.WHOLE)));
    return new Value(
        value.code(),
        value.binding(),
        Value.Kind.COARSE,
        single,
        Optional.of(() ->
            once(
                key,
                value,
                place,
                "Rest",
                CodeBlock.of("$T.rest($L, $L)", DeviceMath.class, value.code(), single.get()))));
  }

  /** A number in single precision that is made of a value in double, at the value's place. */
  private CodeBlock once(String key, Value value, Frame place, String word, CodeBlock code) {
    String known = place.locals().get(word + " of " + key);
    if (known == null) {
      String wanted = value.code().toString();
      known = unique((SourceVersion.isIdentifier(wanted) ? wanted : "number") + word, place);
      place.locals().put(word + " of " + key, known);
      place.code().addStatement("final float $L = $L", known, code);
    }
    return CodeBlock.of("$L", known);
  }

  /** The frame in which a value does not change. */
  private static Frame place(Node value, Frame frame) {
    return switch (scope(value)) {
      case BATCH -> frame.start();
      case GROUP -> frame.scope() == Scope.GROUP ? frame : frame.at(Scope.ROW);
      case ROW -> frame.at(Scope.ROW);
      case TOKEN -> frame.at(Scope.TOKEN);
      case VOCAB -> frame;
    };
  }

  /** Reads what the host gave or another loop kept. */
  private Value load(Node value, Frame frame) {
    Frame place = place(value, frame);
    Value read =
        switch (value.operation()) {
          case Operation.Constant constant ->
              Value.whole(
                  Value.Kind.DOUBLE,
                  "$L.get($L)",
                  array("scalars", DOUBLES),
                  slots.number(constant.value()));
          case Operation.Parameter _, Operation.Multiplier _ ->
              Value.whole(
                  Value.Kind.DOUBLE,
                  "$L.get($L)",
                  array("scalars", DOUBLES),
                  slots.scalar(value.operation()));
          case Operation.Input input -> read(input, place);
          case Operation.Count count when scope(value) != Scope.GROUP -> count(count, value, place);
          default -> Value.of(Value.Kind.DOUBLE, stored(value, place), Binding.WHOLE);
        };
    return define(value, read, place);
  }

  /** A value that another loop kept. */
  private CodeBlock stored(Node value, Frame frame) {
    String slot = slots.value(value);
    return switch (scope(value)) {
      case BATCH -> CodeBlock.of("$L.get($L)", array("batchValues", DOUBLES), slot);
      case GROUP -> at(array("groupValues", DOUBLES), slot, groups(), groupIndex(frame));
      case ROW -> at(array("rowValues", DOUBLES), slot, rows(), rowIndex(frame));
      case TOKEN ->
          at(
              array(value.domain().owner(), "tokenValues", DOUBLES),
              slot,
              tokens(value.domain().owner()),
              frame.at(Scope.TOKEN).index());
      case VOCAB -> throw new IllegalStateException("not computed: " + value);
    };
  }

  private static CodeBlock at(String array, String slot, String elements, String index) {
    return CodeBlock.of("$L.get($L * $L + $L)", array, slot, elements, index);
  }

  private Value read(Operation.Input input, Frame frame) {
    Signature.Input contract = input.input();
    if (contract.role() == Signature.Role.TOKENS) {
      return Value.of(
          Value.Kind.DOUBLE,
          CodeBlock.of(
              "(double) $L.get($L)",
              array(contract.sequence(), "takenTokens", INTS),
              frame.at(Scope.TOKEN).index()),
          Binding.PREFIX);
    }
    if (contract.level() == Level.VOCAB) {
      if (contract.members() > 1) {
        throw new DeviceException(
            "`%s` reads %s for each member of an ensemble, which kernels on devices do not"
                .formatted(signature.objective(), contract.name()));
      }
      return Value.whole(
          Value.Kind.SINGLE,
          "$L.get($L + $L)",
          logits(contract.name(), "logits"),
          first(frame),
          frame.index());
    }
    String slot = slots.column(contract);
    String index = "";
    String elements = "";
    String array =
        switch (contract.level()) {
          case BATCH -> array("scalars", DOUBLES);
          case GROUP -> {
            elements = groups();
            index = groupIndex(frame);
            yield array("groupColumns", DOUBLES);
          }
          case PAIR, SEQUENCE -> {
            elements = rows();
            index = rowIndex(frame);
            yield array("rowColumns", DOUBLES);
          }
          case TOKEN -> {
            elements = tokens(contract.sequence());
            index = frame.at(Scope.TOKEN).index();
            yield array(contract.sequence(), "tokenColumns", DOUBLES);
          }
          case VOCAB -> throw new IllegalStateException("logits are no column");
        };
    if (contract.level() == Level.BATCH) {
      return contract.members() > 1
          ? Value.whole(Value.Kind.DOUBLE, "$L.get($L + $L)", array, slot, input.member())
          : Value.whole(Value.Kind.DOUBLE, "$L.get($L)", array, slot);
    }
    return contract.members() > 1
        ? Value.whole(
            Value.Kind.DOUBLE,
            "$L.get($L * $L + $L * $L + $L)",
            array,
            slot,
            elements,
            index,
            contract.members(),
            input.member())
        : Value.of(Value.Kind.DOUBLE, at(array, slot, elements, index), Binding.WHOLE);
  }

  private String logits(String input, String method) {
    String wanted = method.equals("logits") ? input : "gradient_" + input;
    return parameter(
        JavaText.variable(wanted) + "Array",
        FLOATS,
        CodeBlock.of("arrays.$L($L)", method, JavaText.text(input)));
  }

  private Value count(Operation.Count count, Node node, Frame frame) {
    CodeBlock number =
        switch (scope(node)) {
          case BATCH -> CodeBlock.of("$L", count.from().level() == Level.GROUP ? groups() : rows());
          case GROUP -> {
            String members = array("rowsOfGroups", INTS);
            yield CodeBlock.of(
                "($L.get($L + 1) - $L.get($L))", members, frame.index(), members, frame.index());
          }
          case ROW -> {
            String owner = count.from().owner();
            yield CodeBlock.of("($L - $L)", offset(owner, frame, 1), offset(owner, frame, 0));
          }
          case TOKEN -> CodeBlock.of("$L", size("VOCABULARY", "vocabulary"));
          case VOCAB -> throw new IllegalStateException("nothing is finer than " + node);
        };
    return Value.of(Value.Kind.DOUBLE, CodeBlock.of("(double) $L", number), Binding.PREFIX);
  }

  // Values that are computed.

  /** Gives an expression a name in a frame. */
  private Value define(Node value, Value computed, Frame frame) {
    if (computed.kind() == Value.Kind.LITERAL) {
      frame.values().put(value, computed);
      return computed;
    }
    String given = unique(names.wanted(value), frame);
    frame
        .code()
        .addStatement(
            "final $L $L = $L", computed.isSingle() ? "float" : "double", given, computed.code());
    Value.Kind kind =
        computed.kind() == Value.Kind.COARSE && frame.scope() != Scope.VOCAB
            ? Value.Kind.DOUBLE
            : computed.kind();
    Value named = Value.whole(kind, "$L", given);
    frame.values().put(value, named);
    return named;
  }

  /** Computes a value of a site. */
  private void compute(Node node, Site site, Frame frame) {
    if (isGiven(node)) {
      return;
    }
    Value value =
        switch (node.operation()) {
          case Operation.Input input -> read(input, frame);
          case Operation.Count count -> count(count, node, frame);
          case Operation.OneHot _ ->
              Value.of(
                  Value.Kind.SINGLE,
                  CodeBlock.of(
                      "$L == $L ? 1f : 0f", frame.index(), taken(node.domain().owner(), frame)),
                  Binding.CONDITIONAL);
          case Operation.Checked checked -> {
            Value operand = use(node.operand(0), frame);
            check(checked, node, operand, frame);
            yield operand;
          }
          case Operation.Position _ ->
              Value.of(
                  Value.Kind.DOUBLE,
                  CodeBlock.of(
                      "(double) ($L - $L)", frame.index(), begin(node.domain().owner(), frame)),
                  Binding.PREFIX);
          case Operation.Taken _ -> entry(node.operand(0), frame);
          case Operation.Largest _ -> largest(node, frame);
          case Operation.Combine combine when combine.function() == Binary.EXP_TIMES ->
              DeviceExpressions.weighted(
                  exponential(node.operand(0), frame), use(node.operand(1), frame));
          case Operation.Apply apply when apply.function() == Unary.EXP ->
              exponential(node.operand(0), frame);
          case Operation.Apply _,
              Operation.Combine _,
              Operation.Select _,
              Operation.Stop _,
              Operation.Broadcast _,
              Operation.Lift _ ->
              elementwise(node, frame, operand -> use(operand, frame));
          case Operation.Constant _,
              Operation.Parameter _,
              Operation.Multiplier _,
              Operation.Reduce _,
              Operation.Reorder _,
              Operation.Matching _,
              Operation.Beside _,
              Operation.Scan _,
              Operation.Shift _,
              Operation.Expectation _ ->
              throw new IllegalStateException("not computed in a frame: " + node);
        };
    boolean kept = outlives(node, site);
    if (node.operation() instanceof Operation.Checked && !kept) {
      frame.values().put(node, value);
      return;
    }
    // A choice inside another would be a condition on both, of which TornadoVM makes another one.
    boolean inline = value.isShort() && !value.code().toString().contains("?");
    if (inline && !kept && !names.given(node) && uses.once(node, site)) {
      frame.values().put(node, value);
      return;
    }
    frame.comment(origin(node));
    Value named = define(node, value, frame);
    if (kept) {
      keep(node, named, frame);
    }
  }

  /** The k-th largest logit of a token: the largest of those with at least k that are as large. */
  private Value largest(Node node, Frame frame) {
    if (frame != token) {
      throw new DeviceException(
          "`%s` takes the k-th largest logit apart from its loops over logits, which kernels on devices do not"
              .formatted(signature.objective()));
    }
    Operation.Input logits = (Operation.Input) node.operand(0).operation();
    Frame each = token.inner(Scope.VOCAB, unique("w", token));
    Frame other = token.inner(Scope.VOCAB, unique("other", token));
    String vocabulary = size("VOCABULARY", "vocabulary");
    String mine = unique("mine", token);
    String as = unique("asLarge", token);
    each.code()
        .addStatement("final float $L = $L", mine, read(logits, each).code())
        .addStatement("int $L = 0", as)
        .beginControlFlow(
            "for (int $L = 0; $L < $L; $L++)",
            other.index(),
            other.index(),
            vocabulary,
            other.index())
        .addStatement(
            "$L += $T.asLarge($L, $L)", as, DeviceMath.class, read(logits, other).code(), mine)
        .endControlFlow();
    String k = unique("k", token);
    token
        .code()
        .addStatement(
            "final double $L = $T.held($L, $L)",
            k,
            DeviceMath.class,
            use(node.operand(1), token).code(),
            vocabulary);
    Reducer reducer = new Reducer(token, names);
    reducer.add(
        node,
        Value.whole(
            Value.Kind.DOUBLE,
            "$T.among($L, $L, $L, $L)",
            DeviceMath.class,
            as,
            k,
            mine,
            infinity(Double.NEGATIVE_INFINITY)),
        each);
    reducer.write(each, this::infinity);
    loop(token, each.index(), "lane", vocabulary, "lanes", each);
    List<Value> result = new ArrayList<>();
    shared =
        Math.max(shared, reducer.together(signature.objective(), (_, value) -> result.add(value)));
    return result.getFirst();
  }

  /** Whether the host gives a value, wherever it is used. */
  private static boolean isGiven(Node node) {
    return node.operation() instanceof Operation.Constant
        || node.operation() instanceof Operation.Parameter
        || node.operation() instanceof Operation.Multiplier;
  }

  /** An elementwise operation; what it needs a name for gets one in the frame. */
  private Value elementwise(Node node, Frame frame, Function<Node, Value> operand) {
    return switch (node.operation()) {
      case Operation.Apply apply ->
          DeviceExpressions.unary(apply.function(), operand.apply(node.operand(0)));
      case Operation.Combine combine when combine.function() == Binary.EXP_TIMES ->
          DeviceExpressions.weighted(
              DeviceExpressions.unary(Unary.EXP, operand.apply(node.operand(0))),
              operand.apply(node.operand(1)));
      case Operation.Combine combine when combine.function() == Binary.POWER ->
          power(operand.apply(node.operand(0)), node.operand(0), node.operand(1), frame, operand);
      case Operation.Combine combine ->
          DeviceExpressions.binary(
              combine.function(), operand.apply(node.operand(0)), operand.apply(node.operand(1)));
      case Operation.Select _ ->
          DeviceExpressions.select(
              operand.apply(node.operand(0)),
              operand.apply(node.operand(1)),
              operand.apply(node.operand(2)));
      case Operation.Broadcast _, Operation.Lift _, Operation.Stop _, Operation.Checked _ ->
          operand.apply(node.operand(0));
      case Operation.Constant _,
          Operation.Parameter _,
          Operation.Multiplier _,
          Operation.Input _,
          Operation.Count _,
          Operation.OneHot _,
          Operation.Reduce _,
          Operation.Reorder _,
          Operation.Largest _,
          Operation.Matching _,
          Operation.Beside _,
          Operation.Position _,
          Operation.Scan _,
          Operation.Shift _,
          Operation.Taken _,
          Operation.Expectation _ ->
          throw new IllegalArgumentException("not elementwise: " + node);
    };
  }

  /** A power. TornadoVM does not compile one of a literal: those come from the scalars. */
  private Value power(
      Value base, Node baseNode, Node exponent, Frame frame, Function<Node, Value> operand) {
    if (Plan.base(exponent).isConstant(2)) {
      Value x = base;
      if (!SourceVersion.isIdentifier(base.code().toString())) {
        String given = unique(names.wanted(Plan.base(baseNode)), frame);
        frame
            .code()
            .addStatement(
                "final $L $L = $L", base.isSingle() ? "float" : "double", given, base.code());
        x = Value.whole(base.kind(), "$L", given);
      }
      return DeviceExpressions.binary(Binary.MULTIPLY, x, x);
    }
    return DeviceExpressions.binary(
        Binary.POWER,
        given(base, baseNode, frame),
        given(operand.apply(exponent), exponent, frame));
  }

  private Value given(Value value, Node node, Frame frame) {
    if (value.kind() != Value.Kind.LITERAL
        || !(Plan.base(node).operation() instanceof Operation.Constant constant)) {
      return value;
    }
    String scalars = array("scalars", DOUBLES);
    String given = unique("constant", frame);
    Frame place = frame.start();
    place
        .code()
        .addStatement(
            "final double $L = $L.get($L)", given, scalars, slots.number(constant.value()));
    return Value.whole(Value.Kind.COARSE, "$L", given);
  }

  /** The exponential of a value, computed once in a frame. */
  private Value exponential(Node node, Frame frame) {
    Node value = Plan.base(node);
    Frame place = place(value, frame);
    Value known = place.exponentials().get(value);
    if (known == null) {
      Value computed = DeviceExpressions.unary(Unary.EXP, use(value, place));
      String given = unique("exp" + names.suffix(value), place);
      place
          .code()
          .addStatement(
              "final $L $L = $L", computed.isSingle() ? "float" : "double", given, computed.code());
      known = Value.whole(computed.kind(), "$L", given);
      place.exponentials().put(value, known);
    }
    return frame.scope() == Scope.VOCAB && place != frame
        ? coarse("exponential " + value.number(), known, place)
        : known;
  }

  /** The taken token's entry of a value of logits, computed for that entry, in double precision. */
  private Value entry(Node node, Frame frame) {
    Node wanted = Plan.base(node);
    if (scope(wanted) != Scope.VOCAB) {
      return use(wanted, frame);
    }
    Map<Node, Value> known = entries.computeIfAbsent(frame, _ -> new HashMap<>());
    TreeMap<Integer, Node> missing = new TreeMap<>();
    ArrayDeque<Node> stack = new ArrayDeque<>(List.of(wanted));
    while (!stack.isEmpty()) {
      Node value = Plan.base(stack.pop());
      if (scope(value) == Scope.VOCAB
          && !known.containsKey(value)
          && missing.put(value.number(), value) == null) {
        stack.addAll(value.operands());
      }
    }
    for (Node value : missing.values()) {
      Value entry =
          switch (value.operation()) {
            case Operation.OneHot _ -> Value.literal(1);
            case Operation.Input input -> {
              Frame one = frame.inner(Scope.VOCAB, taken(value.domain().owner(), frame));
              yield Value.of(
                  Value.Kind.DOUBLE,
                  CodeBlock.of("(double) $L", read(input, one).code()),
                  Binding.PREFIX);
            }
            default ->
                elementwise(
                    value,
                    frame,
                    operand -> {
                      Value found = known.get(Plan.base(operand));
                      return found != null ? found : use(operand, frame);
                    });
          };
      if (!entry.isShort() || entry.code().toString().contains("?")) {
        String given = unique(names.wanted(value) + "Taken", frame);
        frame.code().addStatement("final double $L = $L", given, entry.code());
        entry = Value.whole(Value.Kind.DOUBLE, "$L", given);
      }
      known.put(value, entry);
    }
    Value found = known.get(wanted);
    if (found == null) {
      throw new IllegalStateException("no entry of " + wanted);
    }
    return found;
  }

  private void check(Operation.Checked checked, Node node, Value operand, Frame frame) {
    Scope scope = scope(node);
    if (scope == Scope.VOCAB) {
      throw new DeviceException(
          "`%s` checks a value of each logit (%s), which kernels on devices do not"
              .formatted(signature.objective(), checked.place()));
    }
    String slot = slots.other(node, scope, node.domain().owner(), "failed");
    checks.add(
        new DeviceLayout.Check(
            checked.place(),
            checked.what(),
            node.domain().level(),
            scope == Scope.TOKEN ? node.domain().owner() : "",
            slots.number(slot)));
    put(
        scope,
        node.domain().owner(),
        slot,
        CodeBlock.of("$T.lessOrEqual($L, 0.0)", DeviceMath.class, operand.code()),
        frame);
  }

  // Values that are kept.

  /** Whether a value is used where its name is not known. */
  private boolean outlives(Node node, Site site) {
    return switch (site.scope()) {
      case BATCH -> isOutput(node) || usedInAnotherKernel(node);
      case GROUP ->
          plan.kept().contains(node) || uses.of(node).stream().anyMatch(s -> !s.equals(site));
      case ROW -> plan.kept().contains(node) || usedInAnotherKernel(node);
      case TOKEN -> plan.kept().contains(node) && isHome(node, site);
      case VOCAB -> false;
    };
  }

  private boolean usedInAnotherKernel(Node node) {
    return uses.of(node).stream()
        .anyMatch(site -> kernels.places().getOrDefault(site, -1) != number);
  }

  /** A token's value that is computed again elsewhere is kept only at its first place. */
  private boolean isHome(Node node, Site site) {
    for (Map.Entry<Site, Plan.Block> entry : plan.sites().entrySet()) {
      if (entry.getKey().scope() == Scope.TOKEN && entry.getValue().computed().contains(node)) {
        return entry.getKey().equals(site);
      }
    }
    return true;
  }

  private boolean isOutput(Node node) {
    return Plan.base(plan.program().loss()) == node
        || plan.program().metrics().stream().anyMatch(n -> Plan.base(n) == node)
        || plan.program().violations().stream().anyMatch(n -> Plan.base(n) == node);
  }

  private void keep(Node node, Value value, Frame frame) {
    put(scope(node), node.domain().owner(), slots.value(node), value.code(), frame);
  }

  /** Writes a number to its slot, in the loop over its elements or by one thread at the end. */
  private void put(Scope scope, String owner, String slot, CodeBlock value, Frame frame) {
    switch (scope) {
      case BATCH ->
          stores.addStatement("$L.set($L, $L)", array("batchValues", DOUBLES), slot, value);
      case GROUP -> set(frame, array("groupValues", DOUBLES), slot, groups(), value);
      case ROW -> set(frame, array("rowValues", DOUBLES), slot, rows(), value);
      case TOKEN -> set(frame, array(owner, "tokenValues", DOUBLES), slot, tokens(owner), value);
      case VOCAB -> throw new IllegalStateException("values of logits are not kept");
    }
  }

  private void set(Frame frame, String array, String slot, String elements, CodeBlock value) {
    boolean once = frame == row || frame == token;
    (once ? stores : frame.code())
        .addStatement("$L.set($L * $L + $L, $L)", array, slot, elements, frame.index(), value);
  }

  /** Writes gradients. */
  private void write(Plan.Block block, Frame frame) {
    for (Plan.Output output : block.written()) {
      Signature.Input input =
          signature.inputs().stream()
              .filter(i -> i.name().equals(output.input()))
              .findFirst()
              .orElseThrow();
      Value value = use(output.value(), frame);
      switch (frame.scope()) {
        case VOCAB -> {
          frame.comment("The gradient of the loss for " + JavaText.comment(input.name()) + ".");
          frame
              .code()
              .addStatement(
                  "$L.set($L + $L, $L)",
                  logits(input.name(), "logitsGradient"),
                  first(frame),
                  frame.index(),
                  value.singleAt(Binding.CONDITIONAL));
        }
        case TOKEN ->
            set(
                frame,
                array(input.sequence(), "tokenGradients", DOUBLES),
                slots.gradient(input),
                tokens(input.sequence()),
                value.code());
        case BATCH, GROUP, ROW ->
            put(frame.scope(), "", slots.gradient(input), value.code(), frame);
      }
    }
  }

  /** The result of a reduction, after its loop. */
  private void settle(Node reduction, Value value, Frame frame) {
    frame.comment(origin(reduction));
    Value named = define(reduction, value, frame);
    boolean kept =
        switch (scope(reduction)) {
          case BATCH -> isOutput(reduction) || usedInAnotherKernel(reduction);
          case ROW, TOKEN -> plan.kept().contains(reduction) || usedInAnotherKernel(reduction);
          case GROUP, VOCAB -> throw new IllegalStateException("no loop ends at " + reduction);
        };
    if (kept) {
      keep(reduction, named, frame);
    }
  }

  private static void loop(
      Frame outer, String index, String from, String to, String step, Frame body) {
    outer
        .code()
        .beginControlFlow(
            "for (int $L = $L; $L < $L; $L += $L)", index, from, index, to, index, step)
        .add(body.code().build())
        .endControlFlow();
  }

  private CodeBlock infinity(double value) {
    return CodeBlock.of("$L.get($L)", array("scalars", DOUBLES), slots.number(value));
  }

  private void together(Reducer reducer, Frame outer) {
    shared =
        Math.max(
            shared,
            reducer.together(
                signature.objective(), (reduction, value) -> settle(reduction, value, outer)));
  }

  // Values of the batch, of groups, of a row.

  private void emitValues(Site site, Plan.Block block) {
    switch (site.scope()) {
      case BATCH -> emitBatch(site, block);
      case GROUP -> emitGroups(site, block);
      case ROW -> {
        for (Node node : block.computed()) {
          if (Planner.alongTokens(node)) {
            sweep(node);
          } else {
            compute(node, site, row);
          }
        }
        write(block, row);
      }
      case TOKEN, VOCAB -> throw new IllegalStateException("no value of rows: " + site);
    }
  }

  private void emitBatch(Site site, Plan.Block block) {
    List<Node> reductions = new ArrayList<>();
    for (Node node : block.computed()) {
      if (node.operation() instanceof Operation.Reduce) {
        reductions.add(node);
        continue;
      }
      if (Planner.isLaid(node)
          || node.operands().stream().map(Plan::base).anyMatch(reductions::contains)) {
        reduce(reductions);
      }
      if (Planner.isLaid(node)) {
        lay(node);
      } else {
        compute(node, site, start);
      }
    }
    reduce(reductions);
    write(block, start);
  }

  /** Reduces rows or groups, in one loop over each. */
  private void reduce(List<Node> reductions) {
    for (Scope scope : List.of(Scope.ROW, Scope.GROUP)) {
      List<Node> here =
          reductions.stream().filter(r -> scope(Planner.reduced(r)) == scope).toList();
      if (here.isEmpty()) {
        continue;
      }
      String count = scope == Scope.ROW ? rows() : groups();
      Frame each = start.inner(scope, unique(scope == Scope.ROW ? "each" : "eachGroup", start));
      Reducer reducer = new Reducer(start, names);
      here.forEach(r -> reducer.add(r, element(Planner.reduced(r), each), each));
      reducer.write(each, this::infinity);
      loop(start, each.index(), "lane", count, "lanes", each);
      together(reducer, start);
    }
    reductions.clear();
  }

  /** A number of a row, token or group that is there as an array. */
  private Value element(Node node, Frame frame) {
    if (Planner.isColumn(node)) {
      return read((Operation.Input) node.operation(), frame);
    }
    if (Planner.isLength(node)) {
      return count((Operation.Count) node.operation(), node, frame);
    }
    return Value.of(Value.Kind.DOUBLE, stored(node, frame), Binding.WHOLE);
  }

  private void emitGroups(Site site, Plan.Block block) {
    Frame each = start.inner(Scope.GROUP, unique("eachGroup", start));
    String groups = groups();
    for (Node node : block.computed()) {
      if (!(node.operation() instanceof Operation.Reduce)) {
        compute(node, site, each);
        continue;
      }
      each.comment(origin(node));
      Frame member = each.inner(Scope.ROW, unique("member", start));
      Reducer reducer = new Reducer(each, names);
      reducer.add(node, element(Planner.reduced(node), member), member);
      reducer.write(member, this::infinity);
      each.code().add(overMembers(each.index(), member, member.code().build()));
      reducer.alone((reduction, value) -> {
        Value named = define(reduction, value, each);
        if (outlives(reduction, site)) {
          keep(reduction, named, each);
        }
      });
    }
    write(block, each);
    loop(start, each.index(), "lane", groups, "lanes", each);
    start.code().addStatement("context.globalBarrier()");
  }

  // Rows in an order.

  /** Computes a value of all rows, or of all tokens, that depends on their order or their keys. */
  private void lay(Node node) {
    start.comment(origin(node));
    if (node.domain().level() == Level.TOKEN) {
      layTokens(node);
      return;
    }
    Frame each = start.inner(Scope.ROW, unique("each", start));
    switch (node.operation()) {
      case Operation.Position position when position.within().level() == Level.GROUP -> {
        // Groups have their rows in order.
        String members = array("rowsOfGroups", INTS);
        Frame member = start.inner(Scope.ROW, unique("member", start));
        each.code()
            .addStatement(
                "final int $L = $L.get($L + 1 + $L)",
                member.index(),
                members,
                groups(),
                each.index());
        String group = groupIndex(member);
        each.code().add(member.code().build());
        setRow(
            node,
            member.index(),
            CodeBlock.of("(double) ($L - $L.get($L))", each.index(), members, group),
            each);
      }
      case Operation.Position _ ->
          setRow(node, each.index(), CodeBlock.of("(double) $L", each.index()), each);
      case Operation.Reorder reorder -> reorder(node, reorder, each);
      case Operation.Matching matching -> {
        String mine = unique("key", start);
        each.code()
            .addStatement(
                "final double $L = $L",
                mine,
                element(Planner.laidOperand(node.operand(1)), each).code());
        String sum = unique("sum", start);
        each.code().addStatement("double $L = 0.0", sum);
        Frame other = start.inner(Scope.ROW, unique("other", start));
        overRows(matching.within().level(), each, other, added(node, mine, each, other, sum));
        setRow(node, each.index(), CodeBlock.of("$L", sum), each);
      }
      default -> throw new IllegalStateException("not laid: " + node);
    }
    loop(start, each.index(), "lane", rows(), "lanes", each);
    start.code().addStatement("context.globalBarrier()");
  }

  /** Goes over the other rows of one row's group, or over all rows. */
  private void overRows(Level within, Frame each, Frame other, CodeBlock body) {
    if (within == Level.GROUP) {
      each.code().add(overMembers(groupIndex(each), other, body));
      return;
    }
    each.code()
        .beginControlFlow(
            "for (int $L = 0; $L < $L; $L++)", other.index(), other.index(), rows(), other.index())
        .add(body)
        .endControlFlow();
  }

  /**
   * A loop over the rows of a group, in their order.
   *
   * @param body all that is done for one, what the member's frame holds included
   */
  private CodeBlock overMembers(String group, Frame member, CodeBlock body) {
    String members = array("rowsOfGroups", INTS);
    String position = unique("position", start);
    return CodeBlock.builder()
        .beginControlFlow(
            "for (int $L = $L.get($L); $L < $L.get($L + 1); $L++)",
            position,
            members,
            group,
            position,
            members,
            group,
            position)
        .addStatement(
            "final int $L = $L.get($L + 1 + $L)", member.index(), members, groups(), position)
        .add(body)
        .endControlFlow()
        .build();
  }

  /** Adds another element's value to a sum where its key is the same. */
  private CodeBlock added(Node node, String mine, Frame each, Frame other, String sum) {
    Value key = element(Planner.laidOperand(node.operand(1)), other);
    Value value = element(Planner.laidOperand(node.operand(0)), other);
    return CodeBlock.builder()
        .add(other.code().build())
        .addStatement(
            "$L = $L + $T.matching($L, $L, $L, $L, $L)",
            sum,
            sum,
            DeviceMath.class,
            key.code(),
            other.index(),
            mine,
            each.index(),
            value.code())
        .build();
  }

  /** Computes a value of all tokens that depends on their order or their keys. */
  private void layTokens(Node node) {
    String owner = node.domain().owner();
    Frame home = start.inner(Scope.ROW, unique("rowOfEach", start));
    Frame each = home.inner(Scope.TOKEN, unique("each", start));
    String all = tokens(owner);
    String rowOfToken = array(owner, "rowOfToken", INTS);
    switch (node.operation()) {
      case Operation.Position position when position.within().level() == Level.GROUP -> {
        String before = unique("before", start);
        each.code().addStatement("int $L = 0", before);
        each.code()
            .add(
                overRows(
                    home,
                    member ->
                        CodeBlock.builder()
                            .addStatement(
                                "$L = $L + ($L < $L ? $L - $L : 0)",
                                before,
                                before,
                                member.index(),
                                home.index(),
                                end(owner, member),
                                begin(owner, member))
                            .build()));
        CodeBlock among =
            CodeBlock.of("(double) ($L + $L - $L)", before, each.index(), begin(owner, home));
        setToken(node, each.index(), among, each);
      }
      case Operation.Position _ ->
          setToken(node, each.index(), CodeBlock.of("(double) $L", each.index()), each);
      case Operation.Matching matching -> {
        String mine = unique("key", start);
        Value key = element(Planner.laidOperand(node.operand(1)), each);
        each.code().addStatement("final double $L = $L", mine, key.code());
        String sum = unique("sum", start);
        each.code().addStatement("double $L = 0.0", sum);
        each.code()
            .add(
                overTokens(
                    owner, matching.within(), home, other -> added(node, mine, each, other, sum)));
        setToken(node, each.index(), CodeBlock.of("$L", sum), each);
      }
      case Operation.Reorder reorder -> {
        String mine = unique("key", start);
        Node key = Planner.laidOperand(node.operand(1));
        each.code().addStatement("final double $L = $L", mine, element(key, each).code());
        String rank = unique("rank", start);
        each.code().addStatement("int $L = 0", rank);
        each.code()
            .add(
                overTokens(
                    owner,
                    reorder.within(),
                    home,
                    other ->
                        CodeBlock.builder()
                            .addStatement(
                                "$L += $T.precedes($L, $L, $L, $L)",
                                rank,
                                DeviceMath.class,
                                element(key, other).code(),
                                other.index(),
                                mine,
                                each.index())
                            .build()));
        String place = unique("place", start);
        switch (reorder.within().level()) {
          case BATCH -> each.code().addStatement("final int $L = $L", place, rank);
          case GROUP -> {
            String left = unique("left", start);
            each.code().addStatement("int $L = 0", place).addStatement("int $L = $L", left, rank);
            each.code()
                .add(
                    overRows(
                        home,
                        member ->
                            CodeBlock.builder()
                                .addStatement(
                                    "$L = $T.slot($L, $L, $L, $L)",
                                    place,
                                    DeviceMath.class,
                                    left,
                                    begin(owner, member),
                                    end(owner, member),
                                    place)
                                .addStatement(
                                    "$L = $L - $L + $L",
                                    left,
                                    left,
                                    end(owner, member),
                                    begin(owner, member))
                                .build()));
          }
          default ->
              each.code().addStatement("final int $L = $L + $L", place, begin(owner, home), rank);
        }
        // `place` is the token that stands where this one's key puts it.
        Frame from = home.inner(Scope.TOKEN, reorder.inverse() ? place : each.index());
        Value value = element(Planner.laidOperand(node.operand(0)), from);
        each.code().add(from.code().build());
        setToken(node, reorder.inverse() ? each.index() : place, value.code(), each);
      }
      default -> throw new IllegalStateException("not laid: " + node);
    }
    start
        .code()
        .beginControlFlow(
            "for (int $L = lane; $L < $L; $L += lanes)",
            each.index(),
            each.index(),
            all,
            each.index())
        .addStatement("final int $L = $L.get($L)", home.index(), rowOfToken, each.index())
        .add(home.code().build())
        .add(each.code().build())
        .endControlFlow()
        .addStatement("context.globalBarrier()");
  }

  /** A loop over the rows of the group of a row, in their order. */
  private CodeBlock overRows(Frame home, Function<Frame, CodeBlock> body) {
    Frame member = start.inner(Scope.ROW, unique("member", start));
    CodeBlock inner = body.apply(member);
    return overMembers(
        groupIndex(home),
        member,
        CodeBlock.builder().add(member.code().build()).add(inner).build());
  }

  /** A loop over the tokens of the scope that a row belongs to. */
  private CodeBlock overTokens(
      String owner, Domain within, Frame home, Function<Frame, CodeBlock> body) {
    return switch (within.level()) {
      case BATCH ->
          overTokens("0", tokens(owner), start.inner(Scope.TOKEN, unique("other", start)), body);
      case GROUP ->
          overRows(
              home,
              member ->
                  overTokens(
                      begin(owner, member),
                      end(owner, member),
                      member.inner(Scope.TOKEN, unique("other", start)),
                      body));
      default ->
          overTokens(
              begin(owner, home),
              end(owner, home),
              home.inner(Scope.TOKEN, unique("other", start)),
              body);
    };
  }

  private static CodeBlock overTokens(
      String from, String to, Frame other, Function<Frame, CodeBlock> body) {
    CodeBlock inner = body.apply(other);
    return CodeBlock.builder()
        .beginControlFlow(
            "for (int $L = $L; $L < $L; $L++)",
            other.index(),
            from,
            other.index(),
            to,
            other.index())
        .add(inner)
        .endControlFlow()
        .build();
  }

  private void setToken(Node node, String index, CodeBlock value, Frame frame) {
    String owner = node.domain().owner();
    frame
        .code()
        .addStatement(
            "$L.set($L * $L + $L, $L)",
            array(owner, "tokenValues", DOUBLES),
            slots.value(node),
            tokens(owner),
            index,
            value);
  }

  private void setRow(Node node, String index, CodeBlock value, Frame frame) {
    frame
        .code()
        .addStatement(
            "$L.set($L * $L + $L, $L)",
            array("rowValues", DOUBLES),
            slots.value(node),
            rows(),
            index,
            value);
  }

  /** Each row looks how many of its scope come before it. */
  private void reorder(Node node, Operation.Reorder reorder, Frame each) {
    Node key = Planner.laidOperand(node.operand(1));
    Value mine = element(key, each);
    String mineName = unique("key", start);
    each.code().addStatement("final double $L = $L", mineName, mine.code());
    String rank = unique("rank", start);
    each.code().addStatement("int $L = 0", rank);
    Frame other = start.inner(Scope.ROW, unique("other", start));
    Value theirs = element(key, other);
    CodeBlock counted =
        CodeBlock.builder()
            .add(other.code().build())
            .addStatement(
                "$L += $T.precedes($L, $L, $L, $L)",
                rank,
                DeviceMath.class,
                theirs.code(),
                other.index(),
                mineName,
                each.index())
            .build();
    overRows(reorder.within().level(), each, other, counted);
    String place = rank;
    if (reorder.within().level() == Level.GROUP) {
      String members = array("rowsOfGroups", INTS);
      place = unique("place", start);
      each.code()
          .addStatement(
              "final int $L = $L.get($L + 1 + $L.get($L) + $L)",
              place,
              members,
              groups(),
              members,
              groupIndex(each),
              rank);
    }
    // `place` is the row that stands where this one's key puts it.
    Frame from = start.inner(Scope.ROW, reorder.inverse() ? place : each.index());
    Value value = element(Planner.laidOperand(node.operand(0)), from);
    each.code().add(from.code().build());
    setRow(node, reorder.inverse() ? each.index() : place, value.code(), each);
  }

  // Tokens of a row.

  /** Computes a value of all tokens of a row that depends on their order. */
  private void sweep(Node node) {
    row.comment(origin(node));
    String owner = node.domain().owner();
    String tokens = tokens(owner);
    String values = array(owner, "tokenValues", DOUBLES);
    String begin = begin(owner, row);
    String end = end(owner, row);
    String x = slots.value(Planner.tokens(node.operand(0)));
    String result = slots.value(node);
    String at = unique("at", row);
    CodeBlock.Builder code = row.code();
    switch (node.operation()) {
      case Operation.Scan scan -> {
        CodeBlock discount = use(node.operand(1), row).at(Binding.PREFIX);
        String sum = unique("sum", row);
        String step = unique("step", row);
        code.addStatement("context.globalBarrier()")
            .beginControlFlow("if (lane == 0)")
            .addStatement("double $L = 0.0", sum)
            .beginControlFlow("for (int $L = 0; $L < $L - $L; $L++)", step, step, end, begin, step)
            .addStatement(
                "final int $L = $L",
                at,
                scan.backwards()
                    ? CodeBlock.of("$L - 1 - $L", end, step)
                    : CodeBlock.of("$L + $L", begin, step))
            .addStatement("$L = $L + $L * $L", sum, at(values, x, tokens, at), discount, sum)
            .addStatement("$L.set($L * $L + $L, $L)", values, result, tokens, at, sum)
            .endControlFlow()
            .endControlFlow();
      }
      case Operation.Beside _ -> {
        String other = node.operand(0).domain().owner();
        String there = unique("there", row);
        String known = unique("known", row);
        String first = begin(other, row);
        String last = end(other, row);
        code.addStatement("context.globalBarrier()")
            .beginControlFlow(
                "for (int $L = $L + lane; $L < $L; $L += lanes)", at, begin, at, end, at)
            .addStatement("final int $L = $L + $L - $L", there, first, at, begin)
            .addStatement("final int $L = $L < $L ? $L : 0", known, there, last, there)
            .addStatement(
                "$L.set($L * $L + $L, $L < $L ? $L : 0.0)",
                values,
                result,
                tokens,
                at,
                there,
                last,
                at(array(other, "tokenValues", DOUBLES), x, tokens(other), known))
            .endControlFlow();
      }
      case Operation.Shift shift -> {
        String neighbour = unique("neighbour", row);
        code.addStatement("context.globalBarrier()")
            .beginControlFlow(
                "for (int $L = $L + lane; $L < $L; $L += lanes)", at, begin, at, end, at)
            .addStatement(
                "final int $L = $L",
                neighbour,
                shift.next()
                    ? CodeBlock.of("$L + 1 < $L ? $L + 1 : $L", at, end, at, at)
                    : CodeBlock.of("$L > $L ? $L - 1 : $L", at, begin, at, at))
            // The last token has no next one, and the first none before it.
            .addStatement(
                "$L.set($L * $L + $L, $L == $L ? 0.0 : $L)",
                values,
                result,
                tokens,
                at,
                neighbour,
                at,
                at(values, x, tokens, neighbour))
            .endControlFlow();
      }
      default -> throw new IllegalStateException("not along tokens: " + node);
    }
    code.addStatement("context.globalBarrier()");
  }

  private void emitTokens(String owner, Map<Site, Plan.Block> sites) {
    Frame each = row.inner(Scope.TOKEN, unique("t", row));
    Reducer reducer = new Reducer(row, names);
    sites.forEach((site, block) -> {
      block.computed().forEach(node -> compute(node, site, each));
      for (Node reduction : block.reduced()) {
        reducer.add(reduction, use(Planner.reduced(reduction), each), each);
      }
      write(block, each);
    });
    loopOverTokens(owner, each, reducer);
  }

  private void emitSums(String owner, List<Node> reductions) {
    Frame each = row.inner(Scope.TOKEN, unique("t", row));
    Reducer reducer = new Reducer(row, names);
    for (Node reduction : reductions) {
      CodeBlock kept =
          at(array(owner, "tokenValues", DOUBLES), summand(reduction), tokens(owner), each.index());
      reducer.add(reduction, Value.of(Value.Kind.DOUBLE, kept, Binding.WHOLE), each);
    }
    loopOverTokens(owner, each, reducer);
  }

  /** The slot of what a kernel of tokens keeps for a reduction over them. */
  private String summand(Node reduction) {
    return slots.other(
        reduction,
        Scope.TOKEN,
        reduction.operand(0).domain().owner(),
        names.wanted(reduction) + "_term");
  }

  private void loopOverTokens(String owner, Frame each, Reducer reducer) {
    reducer.write(each, this::infinity);
    loop(row, each.index(), begin(owner, row) + " + lane", end(owner, row), "lanes", each);
    together(reducer, row);
  }

  // Logits of a token.

  private void emitVocabulary(Map<Site, Plan.Block> sites) {
    sites.forEach((site, block) -> {
      if (site.scope() == Scope.VOCAB) {
        emitLogits(site, block);
        return;
      }
      block.computed().forEach(node -> compute(node, site, token));
      for (Node reduction : block.reduced()) {
        CodeBlock x = use(Planner.reduced(reduction), token).code();
        put(Scope.TOKEN, site.owner(), summand(reduction), x, token);
      }
      write(block, token);
    });
  }

  /**
   * One loop over the logits of a token. A turn does several logits of a thread, so that their
   * loads are under way together; what is left is done one at a time.
   */
  private void emitLogits(Site site, Plan.Block block) {
    String vocabulary = size("VOCABULARY", "vocabulary");
    Reducer reducer = new Reducer(token, names);
    int abreast = abreast(block);
    String from = "lane";
    if (abreast > 1) {
      String stride =
          local("stride " + abreast, start, "stride", () -> CodeBlock.of("$L * lanes", abreast));
      String whole =
          local(
              "whole " + abreast,
              start,
              "whole",
              () -> CodeBlock.of("$L / $L * $L", vocabulary, stride, stride));
      emitTurns(site, block, reducer, abreast, "lane", whole, stride);
      from = whole + " + lane";
    }
    emitTurns(site, block, reducer, 1, from, vocabulary, "lanes");
    together(reducer, token);
  }

  /** How many logits of a thread a turn of a loop does: fewer of those that take much code. */
  private static int abreast(Plan.Block block) {
    int size = block.computed().size() + block.reduced().size();
    return size <= 24 ? 4 : size <= 48 ? 2 : 1;
  }

  private void emitTurns(
      Site site,
      Plan.Block block,
      Reducer reducer,
      int abreast,
      String from,
      String to,
      String step) {
    String index = unique("w", token);
    Frame turn = token.inner(Scope.VOCAB, index);
    List<Frame> elements = new ArrayList<>();
    for (int i = 0; i < abreast; i++) {
      String at = i == 0 ? index : unique("w", token);
      boolean again = i > 0 || !from.equals("lane");
      Frame each = again ? token.again(Scope.VOCAB, at) : token.inner(Scope.VOCAB, at);
      if (i > 0) {
        each.code().addStatement("final int $L = $L + $L", at, elements.getLast().index(), "lanes");
      }
      block.computed().forEach(node -> compute(node, site, each));
      for (Node reduction : block.reduced()) {
        if (reduction.operands().size() == 1) {
          reducer.add(reduction, use(Planner.reduced(reduction), each), each);
        } else {
          reducer.addMean(
              reduction, use(reduction.operand(0), each), use(reduction.operand(1), each), each);
        }
      }
      elements.add(each);
    }
    // Nothing is stored before all is loaded: a store could be to what is loaded next.
    elements.forEach(each -> turn.code().add(each.code().build()));
    elements.forEach(each -> {
      Frame end = each.inner(Scope.VOCAB, each.index());
      write(block, end);
      turn.code().add(end.code().build());
    });
    reducer.write(turn, this::infinity);
    loop(token, index, from, to, step, turn);
  }

  /** The line of the spec that a value comes from. */
  private String origin(Node node) {
    SourceFile source = node.origin().source();
    if (node.origin().end() > source.text().length()) {
      return "";
    }
    String line = JavaText.comment(source.lineText(source.line(node.origin().start())));
    String text = line.length() > 80 ? line.substring(0, 77) + "..." : line;
    return plan.isForward(node) ? text : "Gradient: " + text;
  }
}
