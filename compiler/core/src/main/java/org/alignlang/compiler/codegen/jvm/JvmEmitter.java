package org.alignlang.compiler.codegen.jvm;

import com.palantir.javapoet.AnnotationSpec;
import com.palantir.javapoet.ArrayTypeName;
import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.JavaFile;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeName;
import com.palantir.javapoet.TypeSpec;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import javax.lang.model.element.Modifier;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.codegen.jvm.Term.Binding;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.plan.Plan;
import org.alignlang.compiler.plan.Planner;
import org.alignlang.compiler.plan.Site;
import org.alignlang.compiler.plan.Site.Scope;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.EvaluationException;
import org.alignlang.kernel.Functions;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Ordering;
import org.alignlang.kernel.Reductions;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Workers;
import org.jspecify.annotations.NullMarked;

/**
 * Writes one Java class for an objective: a public kernel, and inside it a workspace with one field
 * per value that is kept, one method per pass over the rows, per loop over tokens, and per step
 * between passes. The arithmetic is in double precision.
 */
public final class JvmEmitter {
  private static final TypeName DOUBLES = ArrayTypeName.of(TypeName.DOUBLE);
  private static final TypeName INTS = ArrayTypeName.of(TypeName.INT);
  private static final Set<String> RESERVED =
      Set.of(
          "rows",
          "groups",
          "vocabulary",
          "groupOf",
          "result",
          "fits",
          "bind",
          "run",
          "spare",
          "row",
          "group",
          "token",
          "from",
          "to",
          "v",
          "begin",
          "end",
          "batch",
          "workers",
          "parameters",
          "multipliers");

  private final Plan plan;
  private final ObjectiveProgram program;
  private final Signature signature;
  private final GraphBuilder names;
  private final Uses uses;
  private final String className;
  private final ClassName workspace;

  private final Set<String> members = new HashSet<>(RESERVED);
  private final Map<Node, String> fields = new LinkedHashMap<>();
  private final Map<String, String> columns = new LinkedHashMap<>();
  private final Map<String, String> gradients = new LinkedHashMap<>();
  private final Map<String, String> offsets = new LinkedHashMap<>();
  private final Map<String, String> takenTokens = new LinkedHashMap<>();
  private final Map<Operation, String> scalars = new LinkedHashMap<>();
  private final List<MethodSpec> methods = new ArrayList<>();
  private final List<String> rowTasks = new ArrayList<>();
  private boolean readsGroups;
  private boolean readsSpare;

  private JvmEmitter(CheckedObjective objective, Plan plan, ClassName name) {
    this.plan = plan;
    program = plan.program();
    signature = program.signature();
    names = objective.builder();
    uses = new Uses(plan);
    className = name.simpleName();
    workspace = name.nestedClass(className.equals("Workspace") ? "Call" : "Workspace");
  }

  /**
   * The source of an objective's kernel.
   *
   * @param objective the objective
   * @param packageName the package, empty for none
   * @throws IllegalArgumentException if the package has no possible name
   */
  public static JavaFile emit(CheckedObjective objective, String packageName) {
    JavaText.checkPackage(packageName);
    Set<String> clashes =
        new HashSet<>(
            Set.of(
                "Batch",
                "Evaluation",
                "EvaluationException",
                "Functions",
                "Level",
                "List",
                "Math",
                "Double",
                "Object",
                "Override",
                "Ordering",
                "Reductions",
                "Signature",
                "String",
                "Workers",
                "NullMarked",
                "ObjectiveKernel"));
    ClassName name =
        ClassName.get(packageName, JavaText.unique(JavaText.type(objective.name()), clashes));
    Plan plan = Planner.plan(objective.program());
    return JavaFile.builder(packageName, new JvmEmitter(objective, plan, name).type())
        .addFileComment(
            "Generated by Align from $L. Do not edit.",
            JavaText.comment(objective.signature().source()))
        .indent("  ")
        .skipJavaLangImports(true)
        .build();
  }

  private TypeSpec type() {
    for (int pass = -1; pass < plan.passes(); pass++) {
      if (pass >= 0) {
        emitRows(pass);
      }
      emitBetween(pass);
    }
    TypeSpec.Builder type =
        TypeSpec.classBuilder(className)
            .addModifiers(Modifier.PUBLIC, Modifier.FINAL)
            .addAnnotation(AnnotationSpec.builder(NullMarked.class).build())
            .addSuperinterface(ObjectiveKernel.class)
            .addJavadoc("$L\n", documentation())
            .addField(
                FieldSpec.builder(
                        Signature.class,
                        "SIGNATURE",
                        Modifier.PUBLIC,
                        Modifier.STATIC,
                        Modifier.FINAL)
                    .addJavadoc("What this kernel reads and writes.\n")
                    .initializer(SignatureText.of(signature))
                    .build())
            .addMethod(
                MethodSpec.methodBuilder("signature")
                    .addAnnotation(Override.class)
                    .addModifiers(Modifier.PUBLIC)
                    .returns(Signature.class)
                    .addStatement("return SIGNATURE")
                    .build())
            .addMethod(evaluate());
    type.addType(workspaceType());
    return type.build();
  }

  private String documentation() {
    StringBuilder text = new StringBuilder();
    String written = JavaText.javadoc(program.signature().objective());
    if (plan.program().documentation().isBlank()) {
      text.append("The objective ").append(written).append(".");
    } else {
      text.append(JavaText.javadoc(plan.program().documentation()));
    }
    if (!signature.inputs().isEmpty()) {
      text.append("\n\n<p>Reads\n\n<ul>\n");
      for (Signature.Input input : signature.inputs()) {
        text.append("  <li>")
            .append(JavaText.javadoc(input.name()))
            .append(": ")
            .append(describe(input))
            .append(input.trained() ? "; its gradient is written" : "")
            .append('\n');
      }
      text.append("</ul>");
    }
    return text.toString();
  }

  private static String describe(Signature.Input input) {
    String what =
        switch (input.role()) {
          case LOG_PROBABILITY -> "log-probability of each taken token, in nats";
          case LOGITS -> "logits of each position, one per vocabulary entry";
          case TOKENS -> "the taken tokens";
          case COLUMN -> "one number per " + input.level().word();
        };
    return input.members() > 0 ? what + " and each of " + input.members() + " members" : what;
  }

  private MethodSpec evaluate() {
    return MethodSpec.methodBuilder("evaluate")
        .addAnnotation(Override.class)
        .addModifiers(Modifier.PUBLIC)
        .addParameter(Batch.class, "batch")
        .addParameter(DOUBLES, "parameters")
        .addParameter(DOUBLES, "multipliers")
        .addParameter(Evaluation.class, "result")
        .addParameter(Workers.class, "workers")
        .addStatement("SIGNATURE.checkArguments(parameters, multipliers)")
        .addStatement(
            "$T workspace = result.workspace($T.class, batch, $T::fits, $T::new)",
            workspace,
            workspace,
            workspace,
            workspace)
        .addStatement("workspace.bind(batch, parameters, multipliers, result)")
        .addStatement("workspace.run(result, workers)")
        .build();
  }

  // The workspace.

  private TypeSpec workspaceType() {
    TypeSpec.Builder type =
        TypeSpec.classBuilder(workspace)
            .addModifiers(Modifier.PRIVATE, Modifier.STATIC, Modifier.FINAL)
            .addJavadoc(
                "The values of one call, kept for the next call on a batch of this shape.\n");
    MethodSpec.Builder make = MethodSpec.constructorBuilder().addParameter(Batch.class, "batch");
    CodeBlock.Builder fits = CodeBlock.builder().add("return rows == batch.rows()");
    CodeBlock.Builder bind = CodeBlock.builder();

    field(type, TypeName.INT, "rows", true);
    make.addStatement("rows = batch.rows()");
    if (readsGroups) {
      field(type, TypeName.INT, "groups", true);
      make.addStatement("groups = batch.groups()");
      fits.add("\n&& groups == batch.groups()");
      type.addField(
          FieldSpec.builder(INTS, "groupOf", Modifier.PRIVATE).initializer("new int[0]").build());
      bind.addStatement("groupOf = batch.requireGroups()");
      if (readsSpare) {
        field(type, DOUBLES, "spare", true);
        make.addStatement("spare = new double[groups]");
      }
    }
    if (plan.readsVocabulary() || !takenTokens.isEmpty() || readsVocabularySize) {
      field(type, TypeName.INT, "vocabulary", true);
      make.addStatement("vocabulary = batch.vocabulary()");
      fits.add("\n&& vocabulary == batch.vocabulary()");
    }
    Map<String, String> sizes = new TreeMap<>();
    for (String sequence : sequencesUsed()) {
      String name = offsets.computeIfAbsent(sequence, s -> member(plural(s, "Offsets")));
      String size = member(plural(sequence, "Count"));
      sizes.put(sequence, size);
      type.addField(
          FieldSpec.builder(INTS, name, Modifier.PRIVATE).initializer("new int[1]").build());
      field(type, TypeName.INT, size, true);
      make.addStatement("$L = batch.offsets($S)[rows]", size, sequence);
      fits.add("\n&& $L == batch.offsets($S)[batch.rows()]", size, sequence);
      bind.addStatement("$L = batch.offsets($S)", name, sequence);
    }
    takenTokens.forEach((sequence, name) -> {
      type.addField(
          FieldSpec.builder(INTS, name, Modifier.PRIVATE).initializer("new int[0]").build());
      bind.addStatement("$L = batch.takenTokens($S)", name, sequence);
    });
    for (Signature.Input input : signature.inputs()) {
      String name = columns.get(input.name());
      if (name != null) {
        type.addField(
            FieldSpec.builder(DOUBLES, name, Modifier.PRIVATE)
                .initializer("new double[0]")
                .build());
        bind.addStatement("$L = batch.column($S, $L)", name, input.name(), length(input, sizes));
      }
    }
    gradients.forEach((input, name) -> {
      type.addField(
          FieldSpec.builder(DOUBLES, name, Modifier.PRIVATE).initializer("new double[0]").build());
      bind.addStatement("$L = result.gradient($S)", name, input);
    });
    scalars.forEach((operation, name) -> {
      field(type, TypeName.DOUBLE, name, false);
      switch (operation) {
        case Operation.Parameter parameter ->
            bind.addStatement("$L = parameters[$L]", name, parameter.index());
        case Operation.Multiplier multiplier ->
            bind.addStatement("$L = multipliers[$L]", name, multiplier.index());
        default -> throw new IllegalStateException("no scalar: " + operation);
      }
    });
    fields.forEach((node, name) -> {
      Scope scope = scope(node);
      if (scope == Scope.BATCH) {
        field(type, TypeName.DOUBLE, name, false);
      } else {
        field(type, DOUBLES, name, true);
        String size =
            switch (scope) {
              case GROUP -> "groups";
              case ROW -> "rows";
              case TOKEN -> sizes.getOrDefault(node.domain().owner(), "0");
              case BATCH, VOCAB -> throw new IllegalStateException("kept at " + scope);
            };
        make.addStatement("$L = new double[$L]", name, size);
      }
    });
    orderings.forEach((_, name) -> {
      type.addField(
          FieldSpec.builder(Ordering.class, name, Modifier.PRIVATE, Modifier.FINAL).build());
      make.addStatement("$L = new $T(rows)", name, Ordering.class);
    });
    for (String task : rowTasks) {
      type.addField(
          FieldSpec.builder(
                  Workers.RangeTask.class, task + "Task", Modifier.PRIVATE, Modifier.FINAL)
              .initializer("this::$L", task)
              .build());
    }
    type.addMethod(make.build());
    type.addMethod(
        MethodSpec.methodBuilder("fits")
            .addParameter(Batch.class, "batch")
            .returns(TypeName.BOOLEAN)
            .addStatement(fits.build())
            .build());
    type.addMethod(
        MethodSpec.methodBuilder("bind")
            .addParameter(Batch.class, "batch")
            .addParameter(DOUBLES, "parameters")
            .addParameter(DOUBLES, "multipliers")
            .addParameter(Evaluation.class, "result")
            .addCode(bind.build())
            .build());
    type.addMethod(run());
    methods.forEach(type::addMethod);
    return type.build();
  }

  private boolean readsVocabularySize;

  private static void field(TypeSpec.Builder type, TypeName of, String name, boolean fixed) {
    FieldSpec.Builder field = FieldSpec.builder(of, name, Modifier.PRIVATE);
    if (fixed) {
      field.addModifiers(Modifier.FINAL);
    }
    type.addField(field.build());
  }

  private String length(Signature.Input input, Map<String, String> sizes) {
    String length =
        switch (input.level()) {
          case BATCH -> "1";
          case GROUP -> "groups";
          case PAIR, SEQUENCE -> "rows";
          case TOKEN -> sizes.getOrDefault(input.sequence(), "0");
          case VOCAB -> sizes.getOrDefault(input.sequence(), "0") + " * vocabulary";
        };
    return input.members() > 1 ? length + " * " + input.members() : length;
  }

  private Set<String> sequencesUsed() {
    Set<String> used = new TreeSet<>(offsets.keySet());
    for (Signature.Input input : signature.inputs()) {
      if (columns.containsKey(input.name())
          && (input.level() == Level.TOKEN || input.level() == Level.VOCAB)) {
        used.add(input.sequence());
      }
    }
    fields.keySet().stream()
        .filter(node -> scope(node) == Scope.TOKEN)
        .forEach(node -> used.add(node.domain().owner()));
    used.addAll(takenTokens.keySet());
    return used;
  }

  private MethodSpec run() {
    MethodSpec.Builder run =
        MethodSpec.methodBuilder("run")
            .addParameter(Evaluation.class, "result")
            .addParameter(Workers.class, "workers");
    calls.forEach(call -> run.addStatement("$L", call));
    run.addStatement("result.setLoss($L)", output(program.loss()));
    for (int i = 0; i < program.metrics().size(); i++) {
      run.addStatement("result.metrics()[$L] = $L", i, output(program.metrics().get(i)));
    }
    for (int i = 0; i < program.violations().size(); i++) {
      run.addStatement("result.violations()[$L] = $L", i, output(program.violations().get(i)));
    }
    return run.build();
  }

  private final List<CodeBlock> calls = new ArrayList<>();

  private CodeBlock output(Node node) {
    Node value = Plan.base(node);
    return switch (value.operation()) {
      case Operation.Constant constant -> JavaText.number(constant.value());
      case Operation.Parameter _, Operation.Multiplier _ -> CodeBlock.of("$L", scalar(value));
      default -> CodeBlock.of("$L", field(value));
    };
  }

  // Names.

  private String member(String wanted) {
    return JavaText.unique(wanted, members);
  }

  private static String plural(String sequence, String suffix) {
    String name = JavaText.variable(sequence);
    return sequence.equals("y") ? JavaText.variable(suffix) : name + suffix;
  }

  private String field(Node node) {
    if (Planner.isColumn(node)) {
      return column(((Operation.Input) node.operation()).input().name());
    }
    return fields.computeIfAbsent(
        node,
        n ->
            member(
                wanted(n)
                    + switch (scope(n)) {
                      case BATCH -> "";
                      case GROUP -> "ByGroup";
                      case ROW -> "ByRow";
                      case TOKEN -> "ByToken";
                      case VOCAB -> throw new IllegalStateException("kept: " + n);
                    }));
  }

  private String column(String input) {
    return columns.computeIfAbsent(input, n -> member(JavaText.variable(n) + "Column"));
  }

  private String scalar(Node node) {
    return scalars.computeIfAbsent(
        node.operation(),
        operation ->
            member(
                JavaText.variable(
                    switch (operation) {
                      case Operation.Parameter parameter -> parameter.name();
                      case Operation.Multiplier multiplier -> multiplier.name();
                      default -> throw new IllegalStateException("no scalar: " + operation);
                    })));
  }

  /** What a value would be called: as in the spec, or by what it is. */
  private String wanted(Node node) {
    String given = names.nameOf(node);
    if (!given.isEmpty()) {
      String plain = given.endsWith("_bar") ? given.substring(0, given.length() - 4) : given;
      String name = JavaText.variable(plain);
      return given.endsWith("_bar")
          ? "d" + Character.toUpperCase(name.charAt(0)) + name.substring(1)
          : name;
    }
    return switch (node.operation()) {
      case Operation.Input input -> JavaText.variable(input.input().name());
      case Operation.Parameter parameter -> JavaText.variable(parameter.name());
      case Operation.Multiplier multiplier -> JavaText.variable(multiplier.name());
      case Operation.Constant _ -> "constant";
      case Operation.Count _ -> "count";
      case Operation.OneHot _ -> "isTaken";
      case Operation.Checked _ -> "checked";
      case Operation.Select _ -> "selected";
      case Operation.Stop _, Operation.Broadcast _, Operation.Lift _ -> "copy";
      case Operation.Reorder _ -> "sorted" + suffix(node.operand(0));
      case Operation.Position _ -> "position";
      case Operation.Taken _ -> "taken" + suffix(node.operand(0));
      case Operation.Reduce reduce ->
          switch (reduce.reduction()) {
                case SUM -> "sum";
                case MAXIMUM -> "largest";
                case MINIMUM -> "smallest";
                case LOG_SUM_EXP -> "logSum";
              }
              + suffix(node.operand(0));
      case Operation.Apply apply ->
          switch (apply.function()) {
            case NEGATE -> "minus";
            case NOT -> "isNot";
            case EXP,
                LOG,
                EXPM1,
                LOG1P,
                SIGMOID,
                LOG_SIGMOID,
                SOFTPLUS,
                LOG1MEXP,
                TANH,
                ARCTAN,
                ABS,
                SQRT,
                SIGN,
                FLOOR ->
                JavaText.variable(apply.function().word());
          };
      case Operation.Combine combine ->
          switch (combine.function()) {
            case ADD -> "total";
            case SUBTRACT -> "difference";
            case MULTIPLY -> "product";
            case DIVIDE -> "quotient";
            case POWER -> "power";
            case MINIMUM -> "minimum";
            case MAXIMUM -> "maximum";
            case LOG_ADD_EXP -> "logTotal";
            case EXP_TIMES -> "weighted";
            case LOG_RATIO -> "logRatio";
            case LESS, LESS_EQUAL -> "isLess";
            case EQUAL -> "isEqual";
            case AND -> "both";
            case OR -> "either";
          };
      case Operation.Expectation expectation -> JavaText.variable(expectation.name());
    };
  }

  private String suffix(Node operand) {
    Node value = Plan.base(operand);
    if (names.nameOf(value).isEmpty() && !(value.operation() instanceof Operation.Input)) {
      return "";
    }
    String name = wanted(value);
    return Character.toUpperCase(name.charAt(0)) + name.substring(1);
  }

  private static Scope scope(Node node) {
    return Scope.of(node.domain().level());
  }

  // Values.

  /** The expression of a value that is used in a frame. */
  private Term use(Node node, Frame frame) {
    Node value = Plan.base(node);
    if (value.operation() instanceof Operation.Constant constant) {
      return Expressions.literal(constant.value());
    }
    Optional<Term> known = frame.find(value);
    return known.isPresent() ? known.get() : load(value, frame);
  }

  /** Reads a value that was kept, in the frame where it does not change. */
  private Term load(Node value, Frame frame) {
    Scope scope = scope(value);
    Frame place =
        switch (scope) {
          case BATCH -> frame.start();
          case GROUP -> frame.at(frame.scope() == Scope.GROUP ? Scope.GROUP : Scope.ROW);
          case ROW -> frame.at(Scope.ROW);
          case TOKEN -> frame.at(Scope.TOKEN);
          case VOCAB -> throw new IllegalStateException("not computed: " + value);
        };
    if (value.operation() instanceof Operation.Input input) {
      return define(value, read(input, place), place, uses.of(value).size() == 1);
    }
    if (value.operation() instanceof Operation.Count count && scope == Scope.ROW) {
      return define(value, Term.number(count(count, value, place), Binding.PREFIX), place, false);
    }
    CodeBlock read =
        switch (scope) {
          case BATCH ->
              switch (value.operation()) {
                case Operation.Parameter _, Operation.Multiplier _ ->
                    CodeBlock.of("this.$L", scalar(value));
                default -> CodeBlock.of("this.$L", field(value));
              };
          case GROUP -> CodeBlock.of("$L[$L]", array(field(value), DOUBLES, frame), group(place));
          case ROW, TOKEN ->
              CodeBlock.of("$L[$L]", array(field(value), DOUBLES, frame), place.index());
          case VOCAB -> throw new IllegalStateException("not computed: " + value);
        };
    return define(value, Term.number(read, Binding.WHOLE), place, false);
  }

  /** The group of the row of a frame. */
  private String group(Frame frame) {
    if (frame.scope() == Scope.GROUP) {
      return frame.index();
    }
    readsGroups = true;
    return "groupOf[" + frame.index() + "]";
  }

  /** A field that holds an array, as a local variable of the method. */
  private static String array(String field, TypeName type, Frame frame) {
    Frame start = frame.start();
    return start
        .arrays()
        .computeIfAbsent(
            field,
            name -> {
              String local = JavaText.unique(name, start.taken());
              start.code().addStatement("final $T $L = this.$L", type, local, name);
              return local;
            });
  }

  /** Gives an expression a name in a frame. */
  private Term define(Node value, Term term, Frame frame, boolean mayInline) {
    if (mayInline && term.isShort()) {
      frame.terms().put(value, term);
      return term;
    }
    String name = JavaText.unique(wanted(value), frame.taken());
    frame
        .code()
        .addStatement("final $L $L = $L", term.truth() ? "boolean" : "double", name, term.code());
    Term named =
        term.truth() ? Term.truth(CodeBlock.of("$L", name), Binding.WHOLE) : Term.whole("$L", name);
    frame.terms().put(value, named);
    return named;
  }

  /** Computes a value of a site. */
  private void compute(Node node, Site site, Frame frame) {
    if (Planner.isLaid(node)) {
      lay(node, frame);
      return;
    }
    boolean fixed =
        node.operation() instanceof Operation.Constant
            || node.operation() instanceof Operation.Parameter
            || node.operation() instanceof Operation.Multiplier;
    if (fixed) {
      if (plan.kept().contains(node)) {
        keep(node, use(node, frame), frame);
      }
      return;
    }
    Term term =
        switch (node.operation()) {
          case Operation.Input input -> read(input, frame);
          case Operation.Count count -> Term.number(count(count, node, frame), Binding.PREFIX);
          case Operation.OneHot _ ->
              Term.truth(
                  CodeBlock.of(
                      "$L == $L",
                      frame.index(),
                      taken(node.domain().owner(), frame.at(Scope.TOKEN))),
                  Binding.EQUALITY);
          case Operation.Checked checked -> {
            Term operand = use(node.operand(0), frame);
            check(checked, node, operand, frame);
            yield operand;
          }
          case Operation.Taken _ -> entry(node.operand(0), frame);
          case Operation.Reduce reduce -> Term.number(reduced(reduce, node, frame), Binding.WHOLE);
          case Operation.Combine combine when combine.function() == Binary.EXP_TIMES ->
              Term.whole(
                  "$T.weighted($L, $L)",
                  Functions.class,
                  exponential(node.operand(0), frame),
                  use(node.operand(1), frame).asNumber().code());
          case Operation.Apply apply when apply.function() == Unary.EXP ->
              Term.whole("$L", exponential(node.operand(0), frame));
          case Operation.Apply _,
              Operation.Combine _,
              Operation.Select _,
              Operation.Stop _,
              Operation.Broadcast _,
              Operation.Lift _ ->
              Expressions.of(node, operand -> use(operand, frame));
          case Operation.Constant _,
              Operation.Parameter _,
              Operation.Multiplier _,
              Operation.Reorder _,
              Operation.Position _,
              Operation.Expectation _ ->
              throw new IllegalStateException("not computed in a frame: " + node);
        };
    boolean kept = outlives(node, site);
    boolean alias =
        node.operation() instanceof Operation.Checked && !plan.kept().contains(node) && !kept;
    if (alias) {
      frame.terms().put(node, term);
      return;
    }
    boolean inline = !kept && names.nameOf(node).isEmpty() && uses.once(node, site);
    if (!inline) {
      frame.comment(origin(node));
    }
    Term named = define(node, term, frame, inline);
    if (kept) {
      keep(node, named, frame);
    }
  }

  /** The exponential of a value, computed once in a frame. */
  private String exponential(Node node, Frame frame) {
    Node value = Plan.base(node);
    Frame place = frame.at(scope(value));
    return place
        .exponentials()
        .computeIfAbsent(
            value,
            x -> {
              Term term = use(x, place);
              String name = JavaText.unique("exp" + suffix(x), place.taken());
              place
                  .code()
                  .addStatement(
                      "final double $L = $T.exp($L)", name, Math.class, term.asNumber().code());
              return name;
            });
  }

  /** Whether a value is kept in a field. */
  private boolean outlives(Node node, Site site) {
    if (site.scope() == Scope.BATCH) {
      return isOutput(node)
          || uses.of(node).stream()
              .anyMatch(s -> !s.scope().equals(Scope.BATCH) || !together(s, site));
    }
    return plan.kept().contains(node)
        && !site.scope().equals(Scope.VOCAB)
        && (site.scope() != Scope.TOKEN || homeOf(node, site));
  }

  private static boolean together(Site a, Site b) {
    return a.pass() == b.pass() && a.rowStep() == b.rowStep();
  }

  /** A token's value that is computed again elsewhere is kept only at its first place. */
  private boolean homeOf(Node node, Site site) {
    for (Map.Entry<Site, Plan.Block> entry : plan.sites().entrySet()) {
      if (entry.getKey().scope() == Scope.TOKEN && entry.getValue().computed().contains(node)) {
        return entry.getKey().equals(site);
      }
    }
    return true;
  }

  private boolean isOutput(Node node) {
    return Plan.base(program.loss()) == node
        || program.metrics().stream().anyMatch(n -> Plan.base(n) == node)
        || program.violations().stream().anyMatch(n -> Plan.base(n) == node);
  }

  private void keep(Node node, Term term, Frame frame) {
    if (scope(node) == Scope.BATCH) {
      frame.code().addStatement("this.$L = $L", field(node), term.asNumber().code());
    } else {
      frame
          .code()
          .addStatement(
              "$L[$L] = $L",
              array(field(node), DOUBLES, frame),
              frame.index(),
              term.asNumber().code());
    }
  }

  private Term read(Operation.Input input, Frame frame) {
    Signature.Input contract = input.input();
    if (contract.role() == Signature.Role.TOKENS) {
      String tokens =
          takenTokens.computeIfAbsent(contract.sequence(), s -> member(plural(s, "TakenTokens")));
      return Term.whole("$L[$L]", array(tokens, INTS, frame), frame.index());
    }
    String column = columns.computeIfAbsent(contract.name(), n -> member(JavaText.variable(n)));
    String index =
        switch (contract.level()) {
          case BATCH -> "0";
          case GROUP -> group(frame);
          case PAIR, SEQUENCE, TOKEN -> frame.index();
          case VOCAB -> first(frame) + " + " + frame.index();
        };
    if (contract.members() > 1) {
      index =
          (index.equals("0") ? "" : index + " * " + contract.members() + " + ") + input.member();
    }
    return Term.whole("$L[$L]", array(column, DOUBLES, frame), index);
  }

  /** The position of the first vocabulary entry of a token. */
  private static String first(Frame frame) {
    Frame token = frame.at(Scope.TOKEN);
    return token
        .arrays()
        .computeIfAbsent(
            "first",
            _ -> {
              String name = JavaText.unique("first", token.taken());
              token.code().addStatement("final int $L = $L * vocabulary", name, token.index());
              return name;
            });
  }

  /** The taken token of a position. */
  private String taken(String sequence, Frame token) {
    return token
        .arrays()
        .computeIfAbsent(
            "taken " + sequence,
            _ -> {
              String tokens =
                  takenTokens.computeIfAbsent(sequence, s -> member(plural(s, "TakenTokens")));
              String name = JavaText.unique("takenToken", token.taken());
              token
                  .code()
                  .addStatement(
                      "final int $L = $L[$L]", name, array(tokens, INTS, token), token.index());
              return name;
            });
  }

  private CodeBlock count(Operation.Count count, Node node, Frame frame) {
    return switch (scope(node)) {
      case BATCH -> {
        if (count.from().level() == Level.GROUP) {
          readsGroups = true;
          yield CodeBlock.of("(double) groups");
        }
        yield CodeBlock.of("(double) rows");
      }
      case GROUP -> throw new IllegalStateException("counted at once: " + node);
      case ROW -> {
        String sequence = count.from().owner();
        String name =
            array(
                offsets.computeIfAbsent(sequence, s -> member(plural(s, "Offsets"))), INTS, frame);
        yield CodeBlock.of(
            "(double) ($L[$L + 1] - $L[$L])", name, frame.index(), name, frame.index());
      }
      case TOKEN -> {
        readsVocabularySize = true;
        yield CodeBlock.of("(double) vocabulary");
      }
      case VOCAB -> throw new IllegalStateException("nothing is finer than " + node);
    };
  }

  private void check(Operation.Checked checked, Node node, Term operand, Frame frame) {
    frame.code().beginControlFlow("if ($L <= 0)", operand.asNumber().at(Binding.SUM));
    Scope scope = scope(node);
    if (scope == Scope.BATCH) {
      frame
          .code()
          .addStatement(
              "throw $T.at($S, $S)", EvaluationException.class, checked.place(), checked.what());
    } else {
      Level level =
          scope == Scope.TOKEN || scope == Scope.VOCAB ? Level.SEQUENCE : node.domain().level();
      String index = scope == Scope.GROUP ? frame.index() : frame.at(Scope.ROW).index();
      frame
          .code()
          .addStatement(
              "throw $T.at($S, $S, $T.$L, $L)",
              EvaluationException.class,
              checked.place(),
              checked.what(),
              Level.class,
              level.name(),
              index);
    }
    frame.code().endControlFlow();
  }

  /** The taken token's entry of a vocabulary value, computed for that entry alone. */
  private Term entry(Node node, Frame token) {
    Node wanted = Plan.base(node);
    if (scope(wanted) != Scope.VOCAB) {
      return use(wanted, token);
    }
    Frame entry = entries.get(token);
    if (entry == null) {
      entry = token.inner(Scope.VOCAB, taken(wanted.domain().owner(), token));
      entries.put(token, entry);
    }
    for (Node value : entryValues(wanted, entry)) {
      entry.terms().put(value, entryTerm(value, entry, token));
    }
    return use(wanted, entry);
  }

  /** The vocabulary values that an entry is made of and that it does not have yet. */
  private static List<Node> entryValues(Node wanted, Frame entry) {
    TreeMap<Integer, Node> found = new TreeMap<>();
    ArrayDeque<Node> stack = new ArrayDeque<>(List.of(wanted));
    while (!stack.isEmpty()) {
      Node value = Plan.base(stack.pop());
      if (scope(value) == Scope.VOCAB
          && !entry.terms().containsKey(value)
          && found.put(value.number(), value) == null) {
        stack.addAll(value.operands());
      }
    }
    return List.copyOf(found.values());
  }

  private Term entryTerm(Node value, Frame entry, Frame token) {
    Term term =
        switch (value.operation()) {
          case Operation.OneHot _ -> Term.truth(CodeBlock.of("true"), Binding.WHOLE);
          case Operation.Input input -> read(input, entry);
          default -> Expressions.of(value, operand -> use(operand, entry));
        };
    if (term.isShort()) {
      return term;
    }
    // Written into the token's own code: the entry is no loop.
    String name = JavaText.unique(wanted(value) + "Taken", token.taken());
    token
        .code()
        .addStatement("final $L $L = $L", term.truth() ? "boolean" : "double", name, term.code());
    return term.truth()
        ? Term.truth(CodeBlock.of("$L", name), Binding.WHOLE)
        : Term.whole("$L", name);
  }

  private final Map<Frame, Frame> entries = new LinkedHashMap<>();

  /** The line of the spec that a value comes from. */
  private String origin(Node node) {
    SourceFile source = node.origin().source();
    if (node.origin().end() > source.text().length()) {
      return "";
    }
    String line = JavaText.comment(source.lineText(source.line(node.origin().start())));
    String text = line.length() > 80 ? line.substring(0, 77) + "..." : line;
    return node.number() >= program.forward() ? "Gradient: " + text : text;
  }

  // Loops over rows and tokens.

  private void emitRows(int pass) {
    TreeMap<Integer, TreeMap<Site, Plan.Block>> steps = new TreeMap<>();
    plan.sites()
        .forEach((site, block) -> {
          if (site.pass() == pass && site.scope().compareTo(Scope.ROW) >= 0) {
            steps.computeIfAbsent(site.rowStep(), _ -> new TreeMap<>()).put(site, block);
          }
        });
    if (steps.isEmpty()) {
      return;
    }
    String method = member("rows" + pass);
    rowTasks.add(method);
    calls.add(CodeBlock.of("workers.run(rows, $L)", method + "Task"));
    Frame start = Frame.method(JavaText.inner(RESERVED));
    Frame row = start.inner(Scope.ROW, "row");
    boolean split = plan.split().contains(pass);
    steps.forEach((step, sites) -> {
      Site rowSite = new Site(Scope.ROW, pass, step, "", 0);
      Plan.Block rowBlock = sites.get(rowSite);
      if (rowBlock != null) {
        if (split) {
          row.code().addStatement("$L(row)", emitRowStep(rowSite, rowBlock));
        } else {
          rowBlock.computed().forEach(node -> compute(node, rowSite, row));
        }
      }
      TreeMap<String, TreeMap<Site, Plan.Block>> owners = new TreeMap<>();
      sites.forEach((site, block) -> {
        if (site.scope().compareTo(Scope.ROW) > 0) {
          owners.computeIfAbsent(site.owner(), _ -> new TreeMap<>()).put(site, block);
        }
      });
      owners.forEach(
          (owner, loops) -> row.code().addStatement("$L(row)", emitTokens(owner, pass, loops)));
    });
    methods.add(
        MethodSpec.methodBuilder(method)
            .addModifiers(Modifier.PRIVATE)
            .addParameter(TypeName.INT, "from")
            .addParameter(TypeName.INT, "to")
            .addCode(start.code().build())
            .beginControlFlow("for (int row = from; row < to; row++)")
            .addCode(row.code().build())
            .endControlFlow()
            .build());
  }

  private String emitRowStep(Site site, Plan.Block block) {
    String name = member("row" + site.pass() + "Step" + site.rowStep());
    Frame start = Frame.method(JavaText.inner(RESERVED));
    Frame row = start.inner(Scope.ROW, "row");
    block.computed().forEach(node -> compute(node, site, row));
    methods.add(
        MethodSpec.methodBuilder(name)
            .addModifiers(Modifier.PRIVATE)
            .addParameter(TypeName.INT, "row")
            .addCode(start.code().build())
            .addCode(row.code().build())
            .build());
    return name;
  }

  private String emitTokens(String owner, int pass, TreeMap<Site, Plan.Block> sites) {
    String name = member(plural(owner, "Tokens") + pass);
    Frame start = Frame.method(JavaText.inner(RESERVED));
    Frame row = start.inner(Scope.ROW, "row");
    Frame token = row.inner(Scope.TOKEN, "t");
    token.taken().add("t");
    CodeBlock.Builder before = CodeBlock.builder();
    CodeBlock.Builder after = CodeBlock.builder();
    sites.forEach((site, block) -> {
      if (site.scope() == Scope.TOKEN) {
        block.computed().forEach(node -> compute(node, site, token));
        for (Node reduction : block.reduced()) {
          Accumulator accumulator = accumulate(reduction, token, before);
          after.addStatement(
              "$L[row] = $L", array(field(reduction), DOUBLES, row), accumulator.result());
        }
        write(block, token);
      } else {
        emitVocabulary(site, block, token);
      }
    });
    String bounds =
        array(offsets.computeIfAbsent(owner, s -> member(plural(s, "Offsets"))), INTS, row);
    methods.add(
        MethodSpec.methodBuilder(name)
            .addModifiers(Modifier.PRIVATE)
            .addParameter(TypeName.INT, "row")
            .addCode(start.code().build())
            .addCode(row.code().build())
            .addCode(before.build())
            .beginControlFlow(
                "for (int t = $L[row], end = $L[row + 1]; t < end; t++)", bounds, bounds)
            .addCode(token.code().build())
            .endControlFlow()
            .addCode(after.build())
            .build());
    return name;
  }

  private void emitVocabulary(Site site, Plan.Block block, Frame token) {
    String index = JavaText.unique("w", token.taken());
    Frame entry = token.inner(Scope.VOCAB, index);
    CodeBlock.Builder before = CodeBlock.builder();
    block.computed().forEach(node -> compute(node, site, entry));
    Map<Node, CodeBlock> results = new LinkedHashMap<>();
    for (Node reduction : block.reduced()) {
      results.put(reduction, accumulate(reduction, entry, before).result());
    }
    write(block, entry);
    token
        .code()
        .add(before.build())
        .beginControlFlow("for (int $L = 0; $L < vocabulary; $L++)", index, index, index)
        .add(entry.code().build())
        .endControlFlow();
    results.forEach((reduction, result) -> {
      Term named = define(reduction, Term.number(result, Binding.SUM), token, false);
      if (plan.kept().contains(reduction)) {
        keep(reduction, named, token);
      }
    });
  }

  private void write(Plan.Block block, Frame frame) {
    for (Plan.Output output : block.written()) {
      String name =
          gradients.computeIfAbsent(
              output.input(), input -> member("gradient" + JavaText.type(input)));
      String index =
          frame.scope() == Scope.VOCAB ? first(frame) + " + " + frame.index() : frame.index();
      frame.comment("The gradient of the loss for " + JavaText.comment(output.input()) + ".");
      frame
          .code()
          .addStatement(
              "$L[$L] = $L",
              array(name, DOUBLES, frame),
              index,
              use(output.value(), frame).asNumber().code());
    }
  }

  /** A reduction in progress: the expression of its result after the loop. */
  private record Accumulator(CodeBlock result) {}

  private Accumulator accumulate(Node reduction, Frame frame, CodeBlock.Builder before) {
    Operation.Reduce reduce = (Operation.Reduce) reduction.operation();
    Term x = use(Planner.reduced(reduction), frame).asNumber();
    String name = JavaText.unique(wanted(reduction) + "SoFar", frame.taken());
    CodeBlock.Builder code = frame.code();
    switch (reduce.reduction()) {
      case SUM -> {
        before.addStatement("double $L = 0", name);
        code.addStatement("$L += $L", name, x.code());
      }
      case MAXIMUM -> {
        before.addStatement("double $L = $T.NEGATIVE_INFINITY", name, Double.class);
        code.addStatement("$L = $T.max($L, $L)", name, Math.class, name, x.code());
      }
      case MINIMUM -> {
        before.addStatement("double $L = $T.POSITIVE_INFINITY", name, Double.class);
        code.addStatement("$L = $T.min($L, $L)", name, Math.class, name, x.code());
      }
      case LOG_SUM_EXP -> {
        // The largest term so far is taken out, so that nothing overflows.
        String largest = JavaText.unique("largest", frame.taken());
        before.addStatement("double $L = $T.NEGATIVE_INFINITY", largest, Double.class);
        before.addStatement("double $L = 0", name);
        CodeBlock term = x.at(Binding.WHOLE);
        code.beginControlFlow("if ($L > $L)", term, largest)
            .addStatement("$L = $L * $T.exp($L - $L) + 1", name, name, Math.class, largest, term)
            .addStatement("$L = $L", largest, term)
            .nextControlFlow("else")
            .addStatement(
                "$L += $L == $L ? 1 : $T.exp($L - $L)",
                name,
                term,
                largest,
                Math.class,
                term,
                largest)
            .endControlFlow();
        return new Accumulator(CodeBlock.of("$L + $T.log($L)", largest, Math.class, name));
      }
    }
    return new Accumulator(CodeBlock.of("$L", name));
  }

  // Between passes.

  private void emitBetween(int pass) {
    TreeMap<Integer, TreeMap<Site, Plan.Block>> steps = new TreeMap<>();
    plan.sites()
        .forEach((site, block) -> {
          if (site.pass() == pass && site.scope().compareTo(Scope.ROW) < 0) {
            steps.computeIfAbsent(site.rowStep(), _ -> new TreeMap<>()).put(site, block);
          }
        });
    steps.forEach((step, sites) -> {
      Frame start = Frame.method(JavaText.inner(RESERVED));
      sites.forEach((site, block) -> {
        if (site.scope() == Scope.BATCH) {
          block.computed().forEach(node -> compute(node, site, start));
        } else {
          emitGroups(site, block, start);
        }
      });
      CodeBlock code = start.code().build();
      if (code.isEmpty()) {
        return;
      }
      String name = member(pass < 0 ? "before" : "after" + pass);
      calls.add(CodeBlock.of("$L()", name));
      methods.add(
          MethodSpec.methodBuilder(name).addModifiers(Modifier.PRIVATE).addCode(code).build());
    });
  }

  private void emitGroups(Site site, Plan.Block block, Frame start) {
    readsGroups = true;
    List<Node> elementwise = new ArrayList<>();
    for (Node node : block.computed()) {
      if (node.operation() instanceof Operation.Count) {
        start
            .code()
            .addStatement(
                "$T.count(groupOf, $L)", Reductions.class, array(field(node), DOUBLES, start));
      } else if (node.operation() instanceof Operation.Reduce reduce) {
        lengths(Planner.reduced(node), start);
        String rows = array(field(Planner.reduced(node)), DOUBLES, start);
        String result = array(field(node), DOUBLES, start);
        start.comment(origin(node));
        switch (reduce.reduction()) {
          case SUM, LOG_SUM_EXP -> {
            readsSpare = true;
            start
                .code()
                .addStatement(
                    "$T.$L($L, groupOf, $L, spare)", Reductions.class, word(reduce), rows, result);
          }
          case MAXIMUM, MINIMUM ->
              start
                  .code()
                  .addStatement(
                      "$T.$L($L, groupOf, $L)", Reductions.class, word(reduce), rows, result);
        }
      } else {
        elementwise.add(node);
      }
    }
    if (elementwise.isEmpty()) {
      return;
    }
    Frame group = start.inner(Scope.GROUP, "group");
    elementwise.forEach(node -> compute(node, site, group));
    start
        .code()
        .beginControlFlow("for (int group = 0; group < groups; group++)")
        .add(group.code().build())
        .endControlFlow();
  }

  /** Computes a value of all rows at once. */
  private void lay(Node node, Frame start) {
    String result = array(field(node), DOUBLES, start);
    start.comment(origin(node));
    switch (node.operation()) {
      case Operation.Position position -> {
        if (position.within().level() == Level.GROUP) {
          readsGroups = true;
          start.code().addStatement("$T.positions(groupOf, $L)", Ordering.class, result);
        } else {
          start.code().addStatement("$T.positions($L)", Ordering.class, result);
        }
      }
      case Operation.Reorder reorder -> {
        Node key = Planner.laidOperand(node.operand(1));
        Node value = Planner.laidOperand(node.operand(0));
        lengths(key, start);
        lengths(value, start);
        boolean known = orderings.containsKey(new OrderKey(key, reorder.within()));
        String ordering =
            orderings.computeIfAbsent(
                new OrderKey(key, reorder.within()), _ -> member("order" + suffix(key)));
        String keys = array(field(key), DOUBLES, start);
        if (!known && reorder.within().level() == Level.GROUP) {
          readsGroups = true;
          start.code().addStatement("$L.by($L, groupOf, groups)", ordering, keys);
        } else if (!known) {
          start.code().addStatement("$L.by($L)", ordering, keys);
        }
        start
            .code()
            .addStatement(
                "$L.$L($L, $L)",
                ordering,
                reorder.inverse() ? "scatter" : "gather",
                array(field(value), DOUBLES, start),
                result);
      }
      default -> throw new IllegalStateException("not laid: " + node);
    }
  }

  /** Rows in the order of a key. */
  private record OrderKey(Node key, Domain within) {}

  private final Map<OrderKey, String> orderings = new LinkedHashMap<>();

  /** Lays the rows' lengths out for a reduction over them. */
  private void lengths(Node operand, Frame start) {
    if (Planner.isLength(operand) && lengthsWritten.add(operand)) {
      String sequence = ((Operation.Count) operand.operation()).from().owner();
      start
          .code()
          .addStatement(
              "$T.lengths($L, $L)",
              Reductions.class,
              array(
                  offsets.computeIfAbsent(sequence, s -> member(plural(s, "Offsets"))),
                  INTS,
                  start),
              array(field(operand), DOUBLES, start));
    }
  }

  private final Set<Node> lengthsWritten = new HashSet<>();

  /** A reduction of rows or groups to the batch. */
  private CodeBlock reduced(Operation.Reduce reduce, Node node, Frame frame) {
    Node operand = Planner.reduced(node);
    lengths(operand, frame);
    String count = scope(operand) == Scope.GROUP ? "groups" : "rows";
    return CodeBlock.of(
        "$T.$L($L, $L)",
        Reductions.class,
        word(reduce),
        array(field(operand), DOUBLES, frame),
        count);
  }

  private static String word(Operation.Reduce reduce) {
    return switch (reduce.reduction()) {
      case SUM -> "sum";
      case MAXIMUM -> "max";
      case MINIMUM -> "min";
      case LOG_SUM_EXP -> "logSumExp";
    };
  }
}
