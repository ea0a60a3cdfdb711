package org.alignlang.compiler.codegen.jvm;

import com.palantir.javapoet.ArrayTypeName;
import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.FieldSpec;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeName;
import com.palantir.javapoet.TypeSpec;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import javax.lang.model.element.Modifier;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.plan.Planner;
import org.alignlang.compiler.plan.Site.Scope;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.EntryOrders;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.GradientRows;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Ordering;
import org.alignlang.kernel.Scratches;
import org.alignlang.kernel.Selection;
import org.alignlang.kernel.Signature;

/**
 * The fields of a workspace. A field is declared by asking for its name; in the end {@link
 * #declare} writes the fields and what fills them.
 */
public final class WorkspaceFields {
  public static final TypeName DOUBLES = ArrayTypeName.of(TypeName.DOUBLE);
  public static final TypeName INTS = ArrayTypeName.of(TypeName.INT);

  /** Names that every workspace uses itself, or that its methods use for indices. */
  public static final Set<String> RESERVED =
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
          "selections",
          "orders",
          "row",
          "group",
          "token",
          "from",
          "to",
          "v",
          "begin",
          "end",
          "scratch",
          "batch",
          "workers",
          "parameters",
          "multipliers");

  static final TypeName FLOATS = ArrayTypeName.of(TypeName.FLOAT);

  /** Gradients of logits in single precision. */
  public static final TypeName GRADIENT_ROWS = ClassName.get(GradientRows.class);

  private final Signature signature;
  private final ValueNames names;
  private final InnerLoops loops;
  private final Set<String> members = new HashSet<>(RESERVED);
  private final Map<Node, String> kept = new LinkedHashMap<>();
  private final Map<Operation, String> scalars = new LinkedHashMap<>();
  private final Map<String, String> columns = new LinkedHashMap<>();
  private final Map<String, String> gradients = new LinkedHashMap<>();
  private final Map<String, String> offsets = new LinkedHashMap<>();
  private final Map<String, String> takenTokens = new LinkedHashMap<>();
  private final Map<OrderKey, String> orderings = new LinkedHashMap<>();
  private boolean readsGroups;
  private boolean readsSpare;
  private boolean readsVocabulary;
  private boolean selects;
  private boolean orders;

  /** Rows, or tokens, in the order of a key. */
  private record OrderKey(Node key, Domain within) {}

  WorkspaceFields(Signature signature, ValueNames names, InnerLoops loops) {
    this.signature = signature;
    this.names = names;
    this.loops = loops;
  }

  // Names.

  /** A name for a field or method that no other has. */
  public String member(String wanted) {
    return JavaText.unique(wanted, members);
  }

  /** A word about a sequence; without the sequence where there is only one. */
  public static String plural(String sequence, String suffix) {
    String name = JavaText.variable(sequence);
    return sequence.equals("y") ? JavaText.variable(suffix) : name + suffix;
  }

  /** Where a value is kept: a scalar, or an array with one number per row, token or group. */
  public String field(Node node) {
    if (Planner.isColumn(node)) {
      return column(((Operation.Input) node.operation()).input().name());
    }
    return kept.computeIfAbsent(
        node,
        n ->
            member(
                names.wanted(n)
                    + switch (Scope.of(n.domain().level())) {
                      case BATCH -> "";
                      case GROUP -> "ByGroup";
                      case ROW -> "ByRow";
                      case TOKEN -> "ByToken";
                      case VOCAB -> throw new IllegalStateException("kept: " + n);
                    }));
  }

  /** A column of the batch, by contract name. */
  public String column(String input) {
    return columns.computeIfAbsent(input, n -> member(JavaText.variable(n) + "Column"));
  }

  /** A parameter or multiplier. */
  String scalar(Node node) {
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

  /** The gradient of a trained input, by contract name. */
  public String gradient(String input) {
    return gradients.computeIfAbsent(input, name -> member("gradient" + JavaText.type(name)));
  }

  /** Where each row's tokens begin. */
  public String offsets(String sequence) {
    return offsets.computeIfAbsent(sequence, s -> member(plural(s, "Offsets")));
  }

  /** The taken tokens of a sequence. */
  String takenTokens(String sequence) {
    readsVocabulary = true;
    return takenTokens.computeIfAbsent(sequence, s -> member(plural(s, "TakenTokens")));
  }

  /** The group of each row, and the number of groups. */
  String groupOf() {
    readsGroups = true;
    return "groupOf";
  }

  /** Room for one number per group. */
  String spare() {
    readsGroups = true;
    readsSpare = true;
    return "spare";
  }

  /** The size of the vocabulary. */
  public String vocabulary() {
    readsVocabulary = true;
    return "vocabulary";
  }

  /** Room for the largest entries of a row, as much as threads need. */
  String selections() {
    selects = true;
    return "selections";
  }

  /** Room for orders of the entries of a row, as much as threads need. */
  String orders() {
    orders = true;
    readsVocabulary = true;
    return "orders";
  }

  /** Whether the order of the rows or tokens by this key is known already. */
  boolean isOrdered(Node key, Domain within) {
    return orderings.containsKey(new OrderKey(key, within));
  }

  /** The order of the rows or tokens by a key. */
  String ordering(Node key, Domain within) {
    return orderings.computeIfAbsent(
        new OrderKey(key, within), _ -> member("order" + names.suffix(key)));
  }

  // Declarations.

  /**
   * Writes the fields, the constructor that makes room for a batch, {@code fits}, which tells
   * whether the room has the size of a batch, and {@code bind}, which takes the arguments of a
   * call.
   */
  void declare(TypeSpec.Builder type) {
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
    if (readsVocabulary) {
      field(type, TypeName.INT, "vocabulary", true);
      make.addStatement("vocabulary = batch.vocabulary()");
      fits.add("\n&& vocabulary == batch.vocabulary()");
    }
    Map<String, String> sizes = new TreeMap<>();
    for (String sequence : sequencesUsed()) {
      String name = offsets(sequence);
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
        TypeName stored = loops.columnType(input);
        boolean whole = stored.equals(InnerLoops.COLUMN);
        type.addField(
            FieldSpec.builder(stored, name, Modifier.PRIVATE)
                .initializer(
                    whole
                        ? CodeBlock.of("new $T(new float[0])", Column.Floats.class)
                        : empty(stored))
                .build());
        String reader = whole ? "data" : stored.equals(FLOATS) ? "floats" : "column";
        bind.addStatement(
            "$L = batch.$L($S, $L)", name, reader, input.name(), length(input, sizes));
      }
    }
    gradients.forEach((input, name) -> {
      TypeName stored = gradientType(input);
      boolean rows = stored.equals(GRADIENT_ROWS);
      type.addField(
          FieldSpec.builder(stored, name, Modifier.PRIVATE)
              .initializer(rows ? CodeBlock.of("$T.NONE", stored) : empty(stored))
              .build());
      String reader = rows ? "gradientRows" : stored.equals(FLOATS) ? "floatGradient" : "gradient";
      bind.addStatement("$L = result.$L($S)", name, reader, input);
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
    kept.forEach((node, name) -> {
      Scope scope = Scope.of(node.domain().level());
      if (scope == Scope.BATCH) {
        field(type, TypeName.DOUBLE, name, false);
      } else {
        TypeName stored = keptType(node);
        field(type, stored, name, true);
        String size =
            switch (scope) {
              case GROUP -> "groups";
              case ROW -> "rows";
              case TOKEN -> sizes.getOrDefault(node.domain().owner(), "0");
              case BATCH, VOCAB -> throw new IllegalStateException("kept at " + scope);
            };
        make.addStatement(
            "$L = new $T[$L]",
            name,
            stored.equals(FLOATS) ? TypeName.FLOAT : TypeName.DOUBLE,
            size);
      }
    });
    if (selects) {
      TypeName pool = ParameterizedTypeName.get(Scratches.class, Selection.class);
      type.addField(
          FieldSpec.builder(pool, "selections", Modifier.PRIVATE, Modifier.FINAL)
              .initializer("new $T<>($T::new)", Scratches.class, Selection.class)
              .build());
    }
    if (orders) {
      TypeName pool = ParameterizedTypeName.get(Scratches.class, EntryOrders.class);
      type.addField(FieldSpec.builder(pool, "orders", Modifier.PRIVATE, Modifier.FINAL).build());
      // The batch is not to live as long as this.
      make.addStatement("final int entries = batch.vocabulary()")
          .addStatement(
              "orders = new $T<>(() -> new $T(entries))", Scratches.class, EntryOrders.class);
    }
    orderings.forEach((order, name) -> {
      type.addField(
          FieldSpec.builder(Ordering.class, name, Modifier.PRIVATE, Modifier.FINAL).build());
      Domain elements = order.key().domain();
      String size = elements.isRow() ? "rows" : sizes.getOrDefault(elements.owner(), "0");
      make.addStatement("$L = new $T($L)", name, Ordering.class, size);
    });
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
  }

  /** Where the gradient of an input is written: an array, or {@link #GRADIENT_ROWS} for logits. */
  TypeName gradientType(String input) {
    if (!loops.singleGradients()) {
      return DOUBLES;
    }
    boolean logits =
        signature.inputs().stream()
            .anyMatch(known -> known.name().equals(input) && known.level() == Level.VOCAB);
    return logits ? GRADIENT_ROWS : FLOATS;
  }

  /** How a kept value is stored. */
  TypeName keptType(Node node) {
    boolean single =
        Scope.of(node.domain().level()) == Scope.TOKEN && loops.singleTokens(node.domain().owner());
    return single ? FLOATS : DOUBLES;
  }

  private static CodeBlock empty(TypeName array) {
    return CodeBlock.of("new $T[0]", array.equals(FLOATS) ? TypeName.FLOAT : TypeName.DOUBLE);
  }

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
    kept.keySet().stream()
        .filter(node -> Scope.of(node.domain().level()) == Scope.TOKEN)
        .forEach(node -> used.add(node.domain().owner()));
    used.addAll(takenTokens.keySet());
    return used;
  }
}
