package org.alignlang.compiler.check;

import static org.alignlang.compiler.diagnostic.DiagnosticCode.BAD_CONSTRAINT;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.BAD_ESTIMATOR;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.DUPLICATE_NAME;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.MISSING_ESTIMATE;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.MISSING_OBJECTIVE;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.NO_PATH;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.UNREDUCED;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.UNUSED_DATA;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.UNUSED_PARAMETER;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.WRONG_ARGUMENTS;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.WRONG_THING;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.ExpressionWalk;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.gradient.ReverseMode;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Substitution;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.Span;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/**
 * Checks one objective and turns it into a program: declares its actors and data, elaborates its
 * statements, puts the estimator's surrogate for its expectations, and differentiates.
 *
 * <p>The loss of {@code maximize F} (or {@code minimize F}) under constraints {@code g <= b} is
 * that of the Lagrangian {@code L = -F + sum stop(lambda) g} (or {@code F + ...}). Where L contains
 * expectations {@code E_k} with scores {@code s_k}, the chain rule gives the sampled return {@code
 * R = -sum (dL / dE_k) s_k}, taken at the sample means, and the loss is minus the estimator's
 * surrogate for R plus what remains of L without its expectations.
 */
public final class ObjectiveChecker {
  private static final int MOST_PARTS = 2_000;

  private final CheckContext context;
  private final ExpressionChecker expressions;
  private final GraphBuilder b;
  private final Declaration.ObjectiveDeclaration declaration;
  private final Scope moduleScope;
  private final Scope parameterScope;
  private final Scope scope;
  private final Map<String, Expression> values;

  private final List<Signature.Parameter> parameters = new ArrayList<>();
  private final List<Signature.State> states = new ArrayList<>();

  /** What actors are whose declarations say so. */
  private final Map<String, CheckedObjective.Computed> computed = new LinkedHashMap<>();

  /** Who draws the sequences of {@code sample}. */
  private final Map<String, String> draws = new LinkedHashMap<>();

  private final Map<String, Node> metrics = new LinkedHashMap<>();
  private final List<CheckedObjective.Limit> limits = new ArrayList<>();

  /** Multipliers by whose sum the Lagrangian is divided. */
  private final Set<String> normalized = new HashSet<>();

  private Optional<Statement.Sense> sense = Optional.empty();
  private Optional<Node> optimized = Optional.empty();
  private Optional<Statement.EstimateWith> estimate = Optional.empty();

  private ObjectiveChecker(
      Declaration.ObjectiveDeclaration declaration,
      Scope moduleScope,
      Map<String, Expression> values,
      CheckContext context) {
    this.declaration = declaration;
    this.moduleScope = moduleScope;
    this.values = values;
    this.context = context;
    this.b = context.builder;
    this.expressions = new ExpressionChecker(context);
    this.parameterScope = moduleScope.inner();
    this.scope = parameterScope.inner();
  }

  /**
   * Checks an objective.
   *
   * @param declaration what to check
   * @param moduleScope what its module sees
   * @param values values given for parameters, instead of their defaults
   * @param logits actors whose logits are to be read instead of their log-probabilities
   * @param simplify whether the graph is simplified; off only to compare
   * @param pedantic whether findings are reported that are often no mistakes
   * @param sink receives the findings
   * @return the checked objective, or empty if there were errors
   */
  public static Optional<CheckedObjective> check(
      Declaration.ObjectiveDeclaration declaration,
      Scope moduleScope,
      Map<String, Expression> values,
      Set<String> logits,
      boolean simplify,
      boolean pedantic,
      DiagnosticSink sink) {
    Set<String> wanted = new LinkedHashSet<>(logits);
    while (true) {
      DiagnosticSink attempt = new DiagnosticSink();
      CheckContext context =
          new CheckContext(new GraphBuilder(declaration.nameSpan(), simplify), attempt, wanted);
      Optional<CheckedObjective> result =
          new ObjectiveChecker(declaration, moduleScope, values, context).run();
      if (wanted.addAll(context.logitsWanted)) {
        // An actor's vocabulary is used: its token probabilities come from the same logits.
        continue;
      }
      if (result.isPresent()) {
        checkAsWritten(declaration, moduleScope, values, context, pedantic);
      }
      attempt.sorted().forEach(sink::report);
      return attempt.hasErrors() ? Optional.empty() : result;
    }
  }

  /**
   * Checks what only the whole graph shows, on the graph as it was written, where every value is
   * still a node of its own: that links are compared with each other, and the rules of {@link
   * GraphRules}.
   */
  private static void checkAsWritten(
      Declaration.ObjectiveDeclaration declaration,
      Scope moduleScope,
      Map<String, Expression> values,
      CheckContext context,
      boolean pedantic) {
    CheckContext written =
        new CheckContext(
            new GraphBuilder(declaration.nameSpan(), false), new DiagnosticSink(), context.logits);
    ObjectiveChecker checker = new ObjectiveChecker(declaration, moduleScope, values, written);
    Optional<CheckedObjective> result = checker.run();
    if (result.isEmpty()) {
      return;
    }
    // A metric may show what the loss accepts.
    written.links.keySet().removeAll(written.acceptedLinks);
    if (!written.links.isEmpty()
        && written.expectations.isEmpty()
        && !ShiftInvariance.holds(written.links.keySet(), result.get().program().loss())) {
      Span span = written.links.values().iterator().next();
      context.report(DivergenceTerms.normalizerStays("this divergence", span));
    }
    Span place = checker.sense.map(s -> s.value().span()).orElse(declaration.nameSpan());
    GraphRules.findings(result.get(), written, place, pedantic).forEach(context.sink::report);
  }

  private Optional<CheckedObjective> run() {
    context.divergenceScope = Optional.of(moduleScope);
    context.home = Optional.of(declaration.nameSpan());
    context.severalForms =
        declaration.parameters().stream()
            .flatMap(p -> p.type().stream())
            .anyMatch(t -> t.name().equals("Divergence") || t.name().equals("Bool"));
    attempt(this::requireModest);
    attempt(this::declareParameters);
    declareData();
    attempt(this::declareMultipliers);
    for (Statement statement : declaration.statements()) {
      attempt(() -> declare(statement));
    }
    Optional<Statement.EstimateWith> estimator = estimate;
    Optional<EstimatorUse> use = Optional.empty();
    if (estimator.isPresent() && !context.sink.hasErrors()) {
      use = attemptGet(() -> estimator(estimator.get()));
    }
    for (Statement statement : declaration.statements()) {
      attempt(() -> elaborate(statement));
    }
    if (context.sink.hasErrors()) {
      return Optional.empty();
    }
    for (Statement statement : declaration.statements()) {
      if (statement instanceof Statement.Let let && !scope.isUsed(let.name())) {
        context.unusedLets.add(let);
      }
    }
    Optional<EstimatorUse> chosen = use;
    return attemptGet(() -> finish(chosen));
  }

  /** Refuses what would not fit into the class that is made of it. */
  private void requireModest() {
    int parts = declaration.parameters().size() + declaration.statements().size();
    for (Statement statement : declaration.statements()) {
      parts += statement instanceof Statement.SubjectTo subject ? subject.constraints().size() : 0;
    }
    if (parts > MOST_PARTS) {
      throw context.exhausted(
          declaration.nameSpan(),
          "this objective has more than " + MOST_PARTS + " parameters and statements");
    }
  }

  private void attempt(Runnable work) {
    if (context.exhausted) {
      return;
    }
    try {
      work.run();
    } catch (Abandoned _) {
      // Reported; the next statement may have more to say.
    }
  }

  private <T> Optional<T> attemptGet(java.util.function.Supplier<T> work) {
    try {
      return Optional.of(work.get());
    } catch (Abandoned _) {
      return Optional.empty();
    }
  }

  // Declarations.

  private void declareParameters() {
    Set<String> names = new HashSet<>();
    for (Declaration.Parameter parameter : declaration.parameters()) {
      if (!names.add(parameter.name())) {
        throw context.fail(
            DUPLICATE_NAME, parameter.span(), "`" + parameter.name() + "` is declared twice");
      }
      String type = parameter.type().map(Declaration.TypeExpression::name).orElse("Real");
      if (parameter.type().filter(p -> p.size() > 0 || p.level().isPresent()).isPresent()) {
        context.report(
            Diagnostic.of(
                    WRONG_ARGUMENTS,
                    parameter.span(),
                    "a parameter of an objective is one number for the whole batch")
                .withHelp(
                    "what differs by sequence or token is data: `feature "
                        + parameter.name()
                        + ": sequence`"));
      }
      Expression given = values.get(parameter.name());
      Optional<Expression> value = given != null ? Optional.of(given) : parameter.defaultValue();
      switch (type) {
        case "Real", "Int" -> {
          double number = Double.NaN;
          if (value.isPresent()) {
            try {
              number =
                  expressions.fixed(
                      expressions.check(value.get(), parameterScope), value.get().span());
            } catch (Abandoned _) {
              // Reported; the name exists all the same, and its uses are no findings.
            }
          }
          if (type.equals("Int") && !Double.isNaN(number) && number != Math.rint(number)) {
            throw context.fail(
                WRONG_ARGUMENTS,
                value.map(Expression::span).orElse(parameter.span()),
                "`%s` is an Int, and %s is no whole number".formatted(parameter.name(), number));
          }
          Node node = b.parameter(parameters.size(), parameter.name());
          parameters.add(new Signature.Parameter(parameter.name(), number, type.equals("Int")));
          context.parameterValues.put(node, number);
          parameterScope.declare(parameter.name(), Meaning.Value.of(Kind.REAL, node));
        }
        case "Bool", "Divergence" -> {
          if (value.isEmpty()) {
            throw context.fail(
                WRONG_ARGUMENTS,
                parameter.span(),
                "`"
                    + parameter.name()
                    + "` needs a default: a "
                    + type
                    + " is fixed when the objective is compiled");
          }
          try {
            parameterScope.declare(
                parameter.name(), form(parameter.name(), type, value.get(), parameterScope));
          } catch (Abandoned _) {
            // Reported; its uses are no findings.
            context.abandoned.add(parameter.name());
          }
        }
        default ->
            throw context.unknown(
                parameter.span(),
                "parameter type called",
                type,
                List.of("Real", "Int", "Bool", "Divergence"));
      }
    }
    for (Map.Entry<String, Expression> given : values.entrySet()) {
      if (!names.contains(given.getKey())) {
        throw context.unknown(
            given.getValue().span(),
            "parameter of `" + declaration.name() + "` called",
            given.getKey(),
            names);
      }
    }
  }

  /** The form that a value of a {@code Bool} or {@code Divergence} parameter chooses. */
  private Meaning form(String name, String type, Expression value, Scope names) {
    Meaning meaning = expressions.check(value, names);
    if (meaning instanceof Meaning.DivergenceFamily family) {
      meaning =
          new Meaning.DivergenceName(
              expressions.divergences().instance(family, List.of(), value.span(), names));
    }
    if (type.equals("Bool")) {
      if (!(meaning instanceof Meaning.Value v && v.kind() == Kind.BOOL)) {
        throw context.fail(
            WRONG_ARGUMENTS,
            value.span(),
            "`" + name + "` is a Bool, and this is " + meaning.what(),
            "write `true` or `false`");
      }
    } else if (!(meaning instanceof Meaning.DivergenceName)) {
      throw context.fail(
          WRONG_ARGUMENTS,
          value.span(),
          "`" + name + "` is a Divergence, and this is " + meaning.what());
    }
    return meaning;
  }

  private void declareName(String name, Span span, Meaning meaning) {
    if (scope.declares(name) || parameterScope.declares(name)) {
      throw context.fail(DUPLICATE_NAME, span, "`" + name + "` is declared twice");
    }
    if (name.equals("E")) {
      throw context.fail(DUPLICATE_NAME, span, "`E` is the expectation and cannot be redefined");
    }
    scope.declare(name, meaning);
  }

  /** Multipliers are numbers without a gradient, in the order of the constraints that have one. */
  private void declareMultipliers() {
    int index = 0;
    for (Statement statement : declaration.statements()) {
      if (statement instanceof Statement.SubjectTo subject) {
        for (Statement.Constraint constraint : subject.constraints()) {
          if (constraint.method().isEmpty() && constraint.multiplier().isPresent()) {
            Statement.MultiplierClause clause = constraint.multiplier().get();
            Meaning value = Meaning.Value.of(Kind.REAL, b.multiplier(index++, clause.name()));
            if (scope.declares(clause.name())) {
              throw context.fail(
                  DUPLICATE_NAME,
                  clause.nameSpan(),
                  "`" + clause.name() + "` is already the multiplier of another constraint");
            }
            declareName(clause.name(), clause.nameSpan(), value);
          }
        }
      }
    }
  }

  /** The sequences of a row, which everything else refers to, whatever is wrong with the data. */
  private void declareData() {
    boolean labelled = false;
    List<String> drawn = new ArrayList<>();
    Optional<Statement.Ranked> ranked = Optional.empty();
    for (Statement statement : declaration.statements()) {
      switch (statement) {
        case Statement.Pairs pairs -> {
          if (context.paired) {
            wrongData(pairs.span(), "pairs are declared twice", "remove one of them");
          }
          context.paired = true;
          if (!pairs.chosen().equals("chosen") || !pairs.rejected().equals("rejected")) {
            wrongData(
                pairs.span(),
                "the sequences of a pair are called `chosen` and `rejected`, as in the data",
                "write `pairs chosen > rejected`");
          }
        }
        case Statement.Labelled label -> {
          if (!label.sequence().equals("y") || labelled) {
            wrongData(
                label.span(),
                labelled ? "labels are declared twice" : "the labelled sequence is called `y`",
                "write `labelled y: Bool` once");
          }
          labelled = true;
        }
        case Statement.Sample sample -> sample(sample, drawn);
        case Statement.Ranked list -> {
          if (!ranked.isEmpty()) {
            wrongData(list.span(), "ranked data is declared twice", "remove one of them");
          }
          ranked = Optional.of(list);
        }
        case Statement.Target target -> {
          if (!target.sequence().equals("y")) {
            wrongData(
                target.span(),
                "the sampled sequence is called `y`",
                "write `target " + target.name() + "(y) ~ ...`");
          }
        }
        case Statement.Actor _,
            Statement.Column _,
            Statement.Preference _,
            Statement.State _,
            Statement.GroupBy _,
            Statement.Let _,
            Statement.Sense _,
            Statement.SubjectTo _,
            Statement.EstimateWith _,
            Statement.Metric _,
            Statement.Expectation _,
            Statement.Surrogate _,
            Statement.Enumerate _ -> {}
      }
    }
    int kinds =
        (context.paired ? 1 : 0)
            + (labelled ? 1 : 0)
            + (drawn.isEmpty() ? 0 : 1)
            + (ranked.isPresent() ? 1 : 0);
    if (kinds > 1) {
      wrongData(
          declaration.nameSpan(),
          "an objective has one kind of data: one sequence `y`, `pairs chosen > rejected`, a"
              + " `ranked` list, or the draws of `sample`",
          "remove all but one");
    }
    if (drawn.size() == 1) {
      wrongData(
          declaration.statements().stream()
              .filter(Statement.Sample.class::isInstance)
              .findFirst()
              .map(Statement::span)
              .orElse(declaration.nameSpan()),
          "`sample` names two draws or more",
          "one draw is called `y`, and is there without a declaration");
    }
    context.sequences =
        context.paired
            ? List.of("chosen", "rejected")
            : drawn.isEmpty() ? List.of("y") : List.copyOf(drawn);
    context.paired |= drawn.size() > 1;
    if (ranked.isPresent()) {
      String name = ranked.get().sequence();
      context.sequences = Statement.members(name, ranked.get().count());
      context.paired = true;
      scope.declare(name, new Meaning.RankedName(name, context.sequences));
      return;
    }
    for (String sequence : context.sequences) {
      scope.declare(sequence, new Meaning.SequenceName(sequence));
    }
  }

  private void sample(Statement.Sample sample, List<String> drawn) {
    for (String name : sample.sequences()) {
      if (drawn.contains(name) || name.equals("chosen") || name.equals("rejected")) {
        wrongData(
            sample.span(),
            drawn.contains(name)
                ? "`" + name + "` is drawn twice"
                : "`" + name + "` is a sequence of preference data",
            "give every draw a name of its own, as in `sample a, b ~ old`");
        return;
      }
      drawn.add(name);
      draws.put(name, sample.actor());
    }
  }

  private void wrongData(Span span, String message, String help) {
    context.report(Diagnostic.of(WRONG_ARGUMENTS, span, message).withHelp(help));
  }

  /** What can be used before it is written: actors and columns. */
  private void declare(Statement statement) {
    switch (statement) {
      case Statement.Actor actor -> {
        if (actor.role() == Statement.Role.POLICY
            && context.actors.values().stream().anyMatch(a -> a.role() == Statement.Role.POLICY)) {
          throw context.fail(
              DUPLICATE_NAME,
              actor.nameSpan(),
              "an objective trains one policy",
              "declare the other as `reference` or `teacher`");
        }
        if (actor.definition().isPresent()) {
          computed.put(actor.name(), computed(actor, actor.definition().get()));
        }
        declareName(
            actor.name(), actor.nameSpan(), new Meaning.ActorName(actor.name(), actor.role()));
        context.actors.put(
            actor.name(),
            new CheckContext.Actor(
                actor.name(), actor.role(), actor.definition(), actor.nameSpan()));
      }
      case Statement.Column column -> {
        if (column.role() == Statement.ColumnRole.LEARN && column.definition().isPresent()) {
          throw context.fail(
              WRONG_THING,
              column.definition().get().span(),
              "a trained block has no definition: the data holds what it gives",
              "leave the definition out and say in the experiment what it is: `"
                  + column.name()
                  + " table(optimizer = adam(rate = 0.1))`");
        }
        if (column.definition().isEmpty()) {
          Meaning.ColumnName name = new Meaning.ColumnName(column, scope);
          Set<String> shared = Set.of("pair", "batch");
          boolean perSequence =
              context.paired && column.type().map(t -> !shared.contains(t.name())).orElse(true);
          declareName(
              column.name(),
              column.nameSpan(),
              perSequence ? name : expressions.declaredColumn(column, context.sequences.get(0)));
        }
      }
      case Statement.State state -> {
        if (Set.of("step", "loss").contains(state.name())) {
          context.report(
              Diagnostic.of(
                      DUPLICATE_NAME,
                      state.nameSpan(),
                      "`%1$s` is what records call the %1$s of a training".formatted(state.name()))
                  .withHelp("give the kept number another name"));
        }
        double initial = initial(state);
        Signature.State kept = new Signature.State(state.name(), initial);
        declareName(
            state.name(), state.nameSpan(), Meaning.Value.of(Kind.REAL, context.state(kept)));
        states.add(kept);
      }
      case Statement.Labelled labelled -> {
        Meaning.Value label = context.column("label", "y", Level.SEQUENCE, 0, Kind.BOOL);
        declareName("label", labelled.span(), label);
      }
      case Statement.GroupBy group -> {
        context.grouped = true;
        if (!group.key().equals("prompt")) {
          throw context.fail(
              WRONG_ARGUMENTS,
              group.span(),
              "rows are grouped by `prompt`",
              "write `group by prompt`");
        }
      }
      case Statement.Sense s -> {
        if (sense.isPresent()) {
          throw context.fail(
              DUPLICATE_NAME,
              s.span(),
              "an objective has one `maximize` or `minimize`",
              "add the terms up in one line");
        }
        sense = Optional.of(s);
      }
      case Statement.EstimateWith e -> {
        if (estimate.isPresent()) {
          throw context.fail(DUPLICATE_NAME, e.span(), "an objective has one estimator");
        }
        estimate = Optional.of(e);
      }
      case Statement.Preference preference ->
          declareName(
              preference.name(),
              preference.nameSpan(),
              new Meaning.PreferenceName(preference.name()));
      case Statement.Pairs _,
          Statement.Sample _,
          Statement.Ranked _,
          Statement.Let _,
          Statement.Target _,
          Statement.SubjectTo _,
          Statement.Metric _ -> {}
      case Statement.Expectation _, Statement.Surrogate _, Statement.Enumerate _ ->
          throw context.fail(
              WRONG_THING, statement.span(), "this statement belongs in an estimator");
    }
  }

  /** {@code ema(pi, 0.995)}: a policy made of the trained one, with its numbers by name. */
  private CheckedObjective.Computed computed(Statement.Actor actor, Expression definition) {
    if (actor.role() == Statement.Role.POLICY) {
      throw context.fail(
          WRONG_THING,
          definition.span(),
          "the trained policy is not computed from another",
          "an experiment says what it is: `policy softmax_table()`");
    }
    Map<String, List<String>> kinds = new LinkedHashMap<>();
    kinds.put("base", List.of());
    kinds.put("expert", List.of());
    kinds.put("initial", List.of("of"));
    kinds.put("sampling", List.of("of"));
    kinds.put("average", List.of("of"));
    kinds.put("snapshot", List.of("of", "every"));
    kinds.put("ema", List.of("of", "decay"));
    kinds.put("soup", List.of("first", "second", "share"));
    if (!(definition instanceof Expression.Call call
        && call.function() instanceof Expression.NameReference kind)) {
      throw context.fail(
          WRONG_THING,
          definition.span(),
          "an actor is computed by a call",
          "write for instance `ema(pi, 0.995)` or `snapshot(pi, every = 40)`");
    }
    List<String> names = kinds.get(kind.name());
    if (names == null) {
      throw context.unknown(
          kind.span(), "way to compute an actor called", kind.name(), kinds.keySet());
    }
    Map<String, Expression> given = new LinkedHashMap<>();
    for (Expression.Argument argument : call.arguments()) {
      String name =
          argument.name().orElse(given.size() < names.size() ? names.get(given.size()) : "");
      if (!names.contains(name) || argument.against().isPresent()) {
        throw context.unknown(
            argument.span(), "argument of `" + kind.name() + "` called", name, names);
      }
      if (given.put(name, argument.value()) != null) {
        throw context.fail(WRONG_ARGUMENTS, argument.span(), "`" + name + "` is given twice");
      }
    }
    Map<String, Object> numbers = new LinkedHashMap<>();
    for (String name : names) {
      Expression value = given.get(name);
      if (value == null) {
        throw context.fail(
            WRONG_ARGUMENTS, call.span(), "`" + kind.name() + "` needs `" + name + "`");
      }
      if (Set.of("of", "first", "second").contains(name)) {
        String policy = policyOf(actor, kind.name(), value);
        // Without `of` it is the trained policy.
        if (!name.equals("of") || !isTrained(policy)) {
          numbers.put(name, policy);
        }
        continue;
      }
      double number = expressions.fixed(expressions.check(value, parameterScope), value.span());
      boolean fits =
          name.equals("every")
              ? number >= 1 && number == Math.rint(number)
              : number >= 0 && number <= 1;
      if (!fits) {
        throw context.fail(
            WRONG_ARGUMENTS,
            value.span(),
            name.equals("every")
                ? "`every` is a number of steps of at least 1"
                : "`" + name + "` is a number from 0 to 1");
      }
      numbers.put(name, number);
    }
    return new CheckedObjective.Computed(kind.name(), numbers, call.span());
  }

  /** The policy that another one is made of: the trained one, or one that the objective names. */
  private String policyOf(Statement.Actor actor, String kind, Expression value) {
    if (value instanceof Expression.NameReference of
        && !of.name().equals(actor.name())
        && declaration.statements().stream()
            .anyMatch(s -> s instanceof Statement.Actor a && a.name().equals(of.name()))) {
      return of.name();
    }
    throw context.fail(
        WRONG_ARGUMENTS,
        value.span(),
        "`" + kind + "` is of the trained policy, or of another that this objective declares",
        "write the name that `policy` or `reference` declares");
  }

  private boolean isTrained(String name) {
    return declaration.statements().stream()
        .anyMatch(s ->
            s instanceof Statement.Actor a
                && a.role() == Statement.Role.POLICY
                && a.name().equals(name));
  }

  /** What is elaborated in the order written. */
  private void elaborate(Statement statement) {
    switch (statement) {
      case Statement.Let let -> {
        if (scope.declares(let.name()) || parameterScope.declares(let.name())) {
          throw context.fail(
              DUPLICATE_NAME, let.nameSpan(), "`" + let.name() + "` is declared twice");
        }
        try {
          expressions.declareLet(let, scope);
        } catch (Abandoned given) {
          context.abandoned.add(let.name());
          throw given;
        }
      }
      case Statement.Column column -> {
        if (column.definition().isPresent()) {
          Meaning.ColumnName name = new Meaning.ColumnName(column, scope);
          try {
            declareName(
                column.name(),
                column.nameSpan(),
                context.paired
                    ? name
                    : expressions.columnOf(name, context.sequences.get(0), column.span()));
          } catch (Abandoned given) {
            context.abandoned.add(column.name());
            throw given;
          }
        }
      }
      case Statement.Target target -> {
        Scope inner = scope.inner();
        Meaning.Value density =
            expressions.value(expressions.check(target.density(), inner), target.density().span());
        if (density.kind() != Kind.PROB || density.ensemble()) {
          throw context.fail(
              WRONG_THING,
              target.density().span(),
              "a target density must be positive as far as the compiler can see",
              "write it with probabilities and `exp`, as in `ref(y) * exp(r / beta)`");
        }
        if (!density.domain().isRow()) {
          throw context.fail(
              UNREDUCED,
              target.density().span(),
              "a target density is one number per sequence, and this is at "
                  + density.domain().describe());
        }
        declareName(target.name(), target.nameSpan(), new Meaning.TargetName(target.name()));
        context.targets.put(
            target.name(), new CheckContext.TargetDensity(density.node(), target.span()));
      }
      case Statement.Sense s -> {
        optimized = Optional.of(batch(s.value(), "an objective"));
      }
      case Statement.SubjectTo subject -> {
        for (Statement.Constraint constraint : subject.constraints()) {
          attempt(() -> constraint(constraint));
        }
      }
      case Statement.State state ->
          metrics.put(state.name(), b.stop(batch(state.next(), "a kept number")));
      case Statement.Metric metric -> {
        if (metrics.containsKey(metric.name())) {
          throw context.fail(
              DUPLICATE_NAME, metric.nameSpan(), "`" + metric.name() + "` is measured twice");
        }
        metrics.put(metric.name(), b.stop(batch(metric.value(), "a metric")));
      }
      case Statement.Sample drawn -> {
        if (!context.actors.containsKey(drawn.actor()) && !drawn.actor().equals("old")) {
          List<String> known = new ArrayList<>(context.actors.keySet());
          known.add("old");
          throw context.unknown(drawn.actorSpan(), "actor called", drawn.actor(), known);
        }
      }
      case Statement.Actor _,
          Statement.Pairs _,
          Statement.Ranked _,
          Statement.Preference _,
          Statement.Labelled _,
          Statement.GroupBy _,
          Statement.EstimateWith _,
          Statement.Expectation _,
          Statement.Surrogate _,
          Statement.Enumerate _ -> {}
    }
  }

  /** What a number that is kept is before the first batch. */
  private double initial(Statement.State state) {
    Set<String> data = new HashSet<>();
    declaration.statements().stream()
        .filter(Statement.Column.class::isInstance)
        .forEach(column -> data.add(((Statement.Column) column).name()));
    boolean readsData =
        ExpressionWalk.of(state.initial()).stream()
            .anyMatch(e -> e instanceof Expression.NameReference n && data.contains(n.name()));
    if (readsData) {
      context.report(
          Diagnostic.of(
                  WRONG_THING,
                  state.initial().span(),
                  "a kept number begins before there is a batch, with a number made of parameters")
              .withHelp("write for instance `from 0`"));
      return 0;
    }
    return expressions.fixed(
        expressions.check(state.initial(), parameterScope), state.initial().span());
  }

  private static boolean readsBlock(Node value) {
    return ObjectiveProgram.reachable(List.of(value)).stream()
        .anyMatch(n ->
            n.operation() instanceof Operation.Input input
                && input.input().role() == Signature.Role.LEARNED);
  }

  /** A value at batch level. */
  private Node batch(Expression expression, String what) {
    return batch(expression, what, scope);
  }

  private Node batch(Expression expression, String what, Scope where) {
    Meaning.Value value = expressions.real(expressions.check(expression, where), expression.span());
    if (value.ensemble() || !value.domain().equals(Domain.BATCH)) {
      String level = value.ensemble() ? "member" : value.domain().level().word();
      throw context.fail(
          Diagnostic.of(
                  UNREDUCED,
                  expression.span(),
                  what
                      + " is one number, and this is at "
                      + (value.ensemble() ? "member level" : value.domain().describe()))
              .withHelp(
                  level.equals("token")
                      ? "say how tokens are weighed: `mean[sequence](mean[token](...))` gives every"
                          + " sequence the same weight, `mean[token, sequence](...)` every token"
                      : "reduce it: `mean[" + level + "](...)`")
              .withFix(
                  Fix.suggested(
                      "write `mean[" + reduction(level) + "](...)`",
                      Edit.before(expression.span(), "mean[" + reduction(level) + "]("),
                      Edit.behind(expression.span(), ")"))));
    }
    return value.node();
  }

  /** The levels of one mean that leads to one number. */
  private static String reduction(String level) {
    return level.equals("token") ? "token, sequence" : level;
  }

  // Constraints.

  private void constraint(Statement.Constraint constraint) {
    if (!(constraint.condition() instanceof Expression.Binary condition)
        || !(condition.operator() == Expression.Operator.LESS_EQUAL
            || condition.operator() == Expression.Operator.GREATER_EQUAL
            || condition.operator() == Expression.Operator.EQUAL)) {
      throw context.fail(
          BAD_CONSTRAINT,
          constraint.condition().span(),
          "a constraint compares by `<=`, `>=` or `==`",
          "write for instance `E[harm] <= 0.1 multiplier lambda(rate = 0.05)`");
    }
    Node value = batch(condition.left(), "a constraint's value");
    Node bound = batch(condition.right(), "a constraint's bound");
    if (bound.active() || !value.active()) {
      throw context.fail(
          BAD_CONSTRAINT,
          condition.span(),
          bound.active()
              ? readsBlock(bound)
                  ? "the bound of a constraint must not be trained: it would be moved out of the"
                      + " way"
                  : "the bound of a constraint must not depend on the policy"
              : "nothing in this constraint depends on the policy",
          bound.active() && readsBlock(bound)
              ? "make it a parameter, whose schedule an experiment may give"
              : "put what depends on the policy on the left");
    }
    String relation = condition.operator().symbol();
    Optional<String> expectation =
        context.expectations.stream()
            .filter(e -> e.leaf() == value)
            .map(CheckContext.ExpectationTerm::name)
            .findFirst();
    if (constraint.method().isPresent()) {
      limits.add(
          new CheckedObjective.Limit(
              value, relation, bound, method(constraint.method().get(), relation)));
      return;
    }
    Statement.MultiplierClause clause =
        constraint
            .multiplier()
            .orElseThrow(() ->
                context.fail(
                    Diagnostic.of(
                            BAD_CONSTRAINT,
                            constraint.span(),
                            "a constraint needs a multiplier, or a method that does without")
                        .withHelp(
                            "write `... multiplier lambda(init = 0, rate = 0.05)`, or `by"
                                + " penalty(10)`")
                        .withFix(
                            Fix.suggested(
                                "add a multiplier",
                                Edit.behind(
                                    constraint.span(),
                                    " multiplier "
                                        + freshName("lambda")
                                        + "(init = 0, rate = 0.05)")))));
    String name = expectation.orElse("constraint_" + clause.name());
    limits.add(new CheckedObjective.Limit(value, relation, bound, dual(clause, name, relation)));
  }

  /**
   * {@code by penalty(weight, power)}, {@code by barrier(sharpness)}, {@code by switching(...)}.
   */
  private CheckedObjective.Handling method(Statement.MethodClause clause, String relation) {
    List<String> known =
        switch (clause.name()) {
          case "penalty" -> List.of("weight", "power");
          case "barrier" -> List.of("sharpness");
          case "switching" -> List.of("tolerance");
          default ->
              throw context.fail(
                  BAD_CONSTRAINT,
                  clause.nameSpan(),
                  "there is no way to keep a constraint called `" + clause.name() + "`",
                  "write `by penalty(weight)`, `by barrier(sharpness)` or `by"
                      + " switching(tolerance)`, or give it a multiplier");
        };
    Map<String, Node> given = new LinkedHashMap<>();
    for (Expression.Argument argument : clause.arguments()) {
      if (argument.name().isEmpty() && !given.isEmpty()) {
        throw context.fail(
            BAD_CONSTRAINT,
            argument.span(),
            "`" + clause.name() + "` takes one number without a name",
            "its options are " + String.join(", ", known));
      }
      String key = argument.name().orElse(known.getFirst());
      if (!known.contains(key) || argument.against().isPresent()) {
        throw context.unknown(
            argument.span(), "option of `" + clause.name() + "` called", key, known);
      }
      Node number = batch(argument.value(), "`" + key + "`");
      var now = FixedValues.evaluate(number, context.parameterValues, new LinkedHashMap<>());
      boolean positive = !key.equals("tolerance");
      if (number.active()
          || (now.isPresent() && (positive ? now.getAsDouble() <= 0 : now.getAsDouble() < 0))) {
        throw context.fail(
            BAD_CONSTRAINT,
            argument.span(),
            "`%s` of a %s is a %s number"
                .formatted(key, clause.name(), positive ? "positive" : "non-negative"));
      }
      if (given.put(key, number) != null) {
        throw context.fail(BAD_CONSTRAINT, argument.span(), "`" + key + "` is given twice");
      }
    }
    if (!clause.name().equals("penalty") && relation.equals("==")) {
      throw context.fail(
          BAD_CONSTRAINT,
          clause.span(),
          "an equality has no inside: a " + clause.name() + " needs `<=` or `>=`",
          "use a multiplier or a penalty");
    }
    return switch (clause.name()) {
      case "penalty" -> {
        double power = 1;
        Node written = given.get("power");
        if (written != null) {
          power = expressions.fixed(Meaning.Value.of(Kind.REAL, written), clause.span());
        }
        if (power != 1 && power != 2) {
          throw context.fail(
              BAD_CONSTRAINT,
              clause.span(),
              "the power of a penalty is 1 or 2",
              "1 is exact once the weight exceeds the multiplier; 2 is smooth and never exact");
        }
        yield new CheckedObjective.Handling.Penalty(required(given, "weight", clause), (int) power);
      }
      case "barrier" -> new CheckedObjective.Handling.Barrier(required(given, "sharpness", clause));
      default ->
          new CheckedObjective.Handling.Switching(given.getOrDefault("tolerance", b.constant(0)));
    };
  }

  private Node required(Map<String, Node> given, String key, Statement.MethodClause clause) {
    Node number = given.get(key);
    if (number == null) {
      throw context.fail(
          BAD_CONSTRAINT,
          clause.span(),
          "a " + clause.name() + " needs its " + key,
          "write `by " + clause.name() + "(10)`");
    }
    return number;
  }

  private CheckedObjective.Handling.Multiplier dual(
      Statement.MultiplierClause clause, String name, String relation) {
    Map<String, Double> numbers = new LinkedHashMap<>();
    Signature.DualForm form = Signature.DualForm.PROJECTED;
    for (Expression.Argument argument : clause.arguments()) {
      String key = argument.name().orElse("");
      if (key.equals("form")) {
        form = form(argument.value(), numbers);
      } else if (key.equals("normalize")) {
        if (!(argument.value() instanceof Expression.TruthLiteral truth)) {
          throw context.fail(
              BAD_CONSTRAINT, argument.span(), "`normalize` is `true` or `false`, written out");
        }
        if (truth.value()) {
          normalized.add(clause.name());
        }
      } else if (Set.of("init", "rate", "max").contains(key)) {
        double number =
            expressions.fixed(expressions.check(argument.value(), scope), argument.value().span());
        if (!(number >= 0) || (key.equals("rate") && number == 0)) {
          throw context.fail(
              BAD_CONSTRAINT,
              argument.span(),
              key.equals("rate")
                  ? "a multiplier's rate must be positive"
                  : "`" + key + "` must not be negative: multipliers are not");
        }
        numbers.put(key, number);
      } else {
        throw context.unknown(
            argument.span(),
            "option of a multiplier called",
            key,
            List.of("init", "rate", "form", "max", "normalize"));
      }
    }
    double augmentation = numbers.getOrDefault("penalty", 0.0);
    if (augmentation > 0 && normalized.contains(clause.name())) {
      throw context.fail(
          BAD_CONSTRAINT,
          clause.span(),
          "an augmented Lagrangian is not divided by its multipliers",
          "leave `normalize` out");
    }
    if (form == Signature.DualForm.PID && numbers.containsKey("rate")) {
      throw context.fail(
          BAD_CONSTRAINT, clause.span(), "a PID multiplier has gains kp, ki, kd and no rate");
    }
    boolean positive = form == Signature.DualForm.LOG || form == Signature.DualForm.SOFTPLUS;
    double initial = numbers.getOrDefault("init", positive ? 1.0 : 0.0);
    if (positive && !(initial > 0)) {
      throw context.fail(
          BAD_CONSTRAINT,
          clause.span(),
          "a multiplier of this form is never zero: it needs `init` above 0");
    }
    if (relation.equals("==") && normalized.contains(clause.name())) {
      throw context.fail(
          BAD_CONSTRAINT,
          clause.span(),
          "the multiplier of an equality can be negative, so the Lagrangian is not divided by it");
    }
    if (relation.equals("==") && form != Signature.DualForm.PROJECTED) {
      throw context.fail(
          BAD_CONSTRAINT,
          clause.span(),
          "the multiplier of an equality can have either sign: only the plain form has");
    }
    double rate = form == Signature.DualForm.PID ? 0.0 : augmentation > 0 ? augmentation : 0.05;
    return new CheckedObjective.Handling.Multiplier(
        new Signature.Constraint(
            name,
            clause.name(),
            relation,
            form,
            initial,
            numbers.getOrDefault("rate", rate),
            numbers.getOrDefault("kp", 0.0),
            numbers.getOrDefault("ki", 0.0),
            numbers.getOrDefault("kd", 0.0),
            numbers.getOrDefault("max", Double.POSITIVE_INFINITY)),
        augmentation);
  }

  private Signature.DualForm form(Expression value, Map<String, Double> numbers) {
    if (value instanceof Expression.NameReference name) {
      switch (name.name()) {
        case "projected":
          return Signature.DualForm.PROJECTED;
        case "log":
          return Signature.DualForm.LOG;
        case "softplus":
          return Signature.DualForm.SOFTPLUS;
        default:
          break;
      }
    }
    if (value instanceof Expression.Call call
        && call.function() instanceof Expression.NameReference name
        && name.name().equals("pid")) {
      numbers.put("kp", 0.1);
      numbers.put("ki", 0.01);
      numbers.put("kd", 0.01);
      for (Expression.Argument argument : call.arguments()) {
        String key = argument.name().orElse("");
        if (!numbers.containsKey(key) || !Set.of("kp", "ki", "kd").contains(key)) {
          throw context.unknown(argument.span(), "gain called", key, List.of("kp", "ki", "kd"));
        }
        double gain =
            expressions.fixed(expressions.check(argument.value(), scope), argument.value().span());
        if (!(gain >= 0)) {
          throw context.fail(BAD_CONSTRAINT, argument.span(), "a gain must not be negative");
        }
        numbers.put(key, gain);
      }
      return Signature.DualForm.PID;
    }
    if (value instanceof Expression.Call call
        && call.function() instanceof Expression.NameReference name
        && name.name().equals("augmented")) {
      Expression.Argument only = call.arguments().size() == 1 ? call.arguments().get(0) : null;
      if (only == null || !only.name().orElse("penalty").equals("penalty")) {
        throw context.fail(
            BAD_CONSTRAINT, value.span(), "an augmented form is written `augmented(penalty = 10)`");
      }
      double penalty =
          expressions.fixed(expressions.check(only.value(), scope), only.value().span());
      if (!(penalty > 0)) {
        throw context.fail(BAD_CONSTRAINT, only.span(), "`penalty` must be positive");
      }
      numbers.put("penalty", penalty);
      return Signature.DualForm.PROJECTED;
    }
    throw context.fail(
        BAD_CONSTRAINT,
        value.span(),
        "a multiplier's form is `projected`, `log`, `softplus`, `pid(kp, ki, kd)` or"
            + " `augmented(penalty)`");
  }

  // Estimators.

  private record EstimatorUse(
      Declaration.EstimatorDeclaration declaration, Scope scope, Span span) {}

  private EstimatorUse estimator(Statement.EstimateWith statement) {
    Expression expression = statement.estimator();
    Expression target = expression instanceof Expression.Call call ? call.function() : expression;
    List<Expression.Argument> arguments =
        expression instanceof Expression.Call call ? call.arguments() : List.of();
    Meaning meaning = expressions.check(target, scope);
    if (!(meaning instanceof Meaning.EstimatorName name)) {
      throw context.fail(
          WRONG_THING, target.span(), "expected an estimator, found " + meaning.what());
    }
    var found = name.declaration();
    context.estimator = Optional.of(found);
    if (!Set.of("sequence", "token", "step").contains(found.rewardType().name())
        || found.rewardType().size() > 0) {
      throw context.fail(
          BAD_ESTIMATOR,
          found.rewardType().span(),
          "an estimator weighs one return per sequence, or one reward per token",
          "write `for %1$s: sequence` or `for %1$s: token`".formatted(found.reward()));
    }
    Map<String, Meaning> bound =
        expressions.bind(
            found.name(), found.parameters(), arguments, expression.span(), scope, name.scope());
    Scope inner = name.scope().inner();
    bound.forEach(inner::declare);
    CheckContext.Actor policy = context.policy(statement.span());
    inner.declare("pi", new Meaning.ActorName(policy.name(), policy.role()));
    String behavior =
        context.actors.values().stream()
            .filter(a -> a.role() == Statement.Role.BEHAVIOR)
            .map(CheckContext.Actor::name)
            .findFirst()
            .orElse("old");
    inner.declare("old", new Meaning.ActorName(behavior, Statement.Role.BEHAVIOR));
    context.actors.values().stream()
        .filter(a -> a.role() == Statement.Role.REFERENCE)
        .findFirst()
        .ifPresent(a -> inner.declare("ref", new Meaning.ActorName(a.name(), a.role())));
    inner.declare("y", new Meaning.SequenceName("y"));
    for (Statement s : found.statements()) {
      if (s instanceof Statement.Enumerate enumerate) {
        if (!enumerate.sequence().equals("y")) {
          throw context.fail(
              BAD_ESTIMATOR,
              enumerate.span(),
              "the responses are called `y`",
              "write `enumerate y`");
        }
        context.enumerated = true;
        context.grouped = true;
      }
    }
    return new EstimatorUse(found, inner, expression.span());
  }

  /** The estimator's surrogate, or its expectation, for a return per sequence. */
  private Optional<Node> estimated(EstimatorUse use, Node reward, boolean surrogate) {
    if (!surrogate
        && use.declaration().statements().stream()
            .noneMatch(Statement.Expectation.class::isInstance)) {
      return Optional.empty();
    }
    Scope inner = use.scope().inner();
    inner.declare(use.declaration().reward(), Meaning.Value.of(Kind.REAL, b.stop(reward)));
    context.enter(use.declaration(), use.span(), use.declaration().name());
    try {
      Optional<Node> result = Optional.empty();
      for (Statement statement : use.declaration().statements()) {
        switch (statement) {
          case Statement.Let let -> expressions.declareLet(let, inner);
          case Statement.Surrogate s -> {
            if (surrogate) {
              result = Optional.of(batch(s.value(), "a surrogate", inner));
            }
          }
          case Statement.Expectation e -> {
            if (!surrogate) {
              result = Optional.of(b.stop(batch(e.value(), "an expectation", inner)));
            }
          }
          case Statement.Enumerate _ -> {}
          case Statement.Actor _,
              Statement.Column _,
              Statement.Sample _,
              Statement.Ranked _,
              Statement.Preference _,
              Statement.State _,
              Statement.Pairs _,
              Statement.Labelled _,
              Statement.GroupBy _,
              Statement.Target _,
              Statement.Sense _,
              Statement.SubjectTo _,
              Statement.EstimateWith _,
              Statement.Metric _ ->
              throw context.fail(
                  BAD_ESTIMATOR, statement.span(), "this statement belongs in an objective");
        }
      }
      return result;
    } finally {
      context.leave();
    }
  }

  /** A name that nothing in the objective has yet. */
  private String freshName(String wanted) {
    String name = wanted;
    for (int i = 2; scope.find(name).isPresent() || hasMultiplier(name); i++) {
      name = wanted + "_" + i;
    }
    return name;
  }

  private boolean hasMultiplier(String name) {
    return declaration.statements().stream()
        .filter(Statement.SubjectTo.class::isInstance)
        .flatMap(s -> ((Statement.SubjectTo) s).constraints().stream())
        .anyMatch(c -> c.multiplier().filter(m -> m.name().equals(name)).isPresent());
  }

  /** The last statement that says what is optimised. */
  private Span lastOptimised() {
    return declaration.statements().stream()
        .filter(s -> s instanceof Statement.Sense || s instanceof Statement.SubjectTo)
        .map(Statement::span)
        .reduce((_, last) -> last)
        .orElse(declaration.nameSpan());
  }

  // The program.

  private CheckedObjective finish(Optional<EstimatorUse> use) {
    Span place = sense.map(Statement.Sense::span).orElse(declaration.nameSpan());
    if (sense.isEmpty() || optimized.isEmpty()) {
      throw context.fail(
          MISSING_OBJECTIVE,
          declaration.nameSpan(),
          "`" + declaration.name() + "` says nothing to optimise",
          "add a line `maximize ...` or `minimize ...`");
    }
    b.at(place);
    boolean learns =
        declaration.statements().stream()
            .anyMatch(c ->
                c instanceof Statement.Column column
                    && column.role() == Statement.ColumnRole.LEARN);
    if (!learns) {
      context.policy(declaration.nameSpan());
    }
    boolean maximize = sense.get().maximize();
    Node valueNode = optimized.get();
    Node lagrangian = maximize ? b.negate(valueNode) : valueNode;
    lagrangian = constrained(lagrangian);

    List<CheckContext.ExpectationTerm> terms = context.expectations;
    Node loss;
    Map<Node, Node> means = new LinkedHashMap<>();
    if (terms.isEmpty()) {
      if (use.isPresent()) {
        throw context.fail(
            Diagnostic.of(
                    MISSING_ESTIMATE,
                    use.get().span(),
                    "there is no expectation to estimate in this objective")
                .withHelp("remove `estimate with`, or write the reward as `E[...]`")
                .withFix(
                    Fix.suggested(
                        "remove `estimate with`",
                        Edit.removeStatement(estimate.orElseThrow().span()))));
      }
      loss = lagrangian;
    } else {
      EstimatorUse estimator =
          use.orElseThrow(() ->
              context.fail(
                  Diagnostic.of(
                          MISSING_ESTIMATE,
                          terms.get(0).span(),
                          "how is the gradient of this expectation estimated?")
                      .withHelp("add for instance `estimate with rloo()`")
                      .withFix(
                          Fix.suggested(
                              "add `estimate with rloo()`",
                              Edit.behind(lastOptimised(), "\n  estimate with rloo()")))));
      for (CheckContext.ExpectationTerm term : terms) {
        b.at(term.span());
        Optional<Node> declared = estimated(estimator, term.value(), false);
        means.put(
            term.leaf(),
            declared.orElseGet(
                () -> b.meanTo(term.value(), Domain.BATCH, "mean over no sequences")));
      }
      b.at(place);
      loss = surrogateLoss(lagrangian, means, estimator, place);
    }

    Substitution atMeans = new Substitution(b, means);
    Map<String, Node> allMetrics = new LinkedHashMap<>();
    for (CheckContext.ExpectationTerm term : terms) {
      allMetrics.put(term.name(), atMeans.apply(term.leaf()));
    }
    if (!terms.isEmpty()) {
      rewardMeans(use.orElseThrow(), loss, allMetrics);
    }
    List<Node> violations = new ArrayList<>();
    int unnamed = 0;
    for (CheckedObjective.Limit limit : limits) {
      Node value = b.stop(atMeans.apply(limit.value()));
      if (limit.dual().isPresent()) {
        allMetrics.putIfAbsent(limit.dual().get().name(), value);
        violations.add(violation(limit, value));
      } else if (!allMetrics.containsValue(value)) {
        allMetrics.putIfAbsent("constraint_" + ++unnamed, value);
      }
    }
    if (!terms.isEmpty()) {
      allMetrics.putIfAbsent("objective", b.stop(atMeans.apply(valueNode)));
    }
    metrics.forEach((name, node) -> {
      if (allMetrics.put(name, atMeans.apply(node)) != null) {
        throw context.fail(
            DUPLICATE_NAME, declaration.nameSpan(), "the metric `" + name + "` exists already");
      }
    });

    int forward = b.size();
    Map<Node, Node> gradients = ReverseMode.gradient(b, loss);
    Map<Signature.Input, Node> byInput = new LinkedHashMap<>();
    gradients.forEach((leaf, gradient) -> {
      if (leaf.operation() instanceof Operation.Input input) {
        byInput.put(input.input(), gradient);
      }
    });
    if (byInput.values().stream().allMatch(g -> GraphBuilder.constantValue(g).orElse(1) == 0)) {
      throw context.fail(
          NO_PATH,
          place,
          learns
              ? "nothing that is optimised depends on what is trained through a gradient"
              : "nothing that is optimised depends on the policy through a gradient",
          "what is trained must appear outside `stop(...)`");
    }

    List<Node> outputs = new ArrayList<>(List.of(loss));
    outputs.addAll(byInput.values());
    outputs.addAll(violations);
    // What a kept number becomes reaches the loss of later steps.
    List<Node> reaching = new ArrayList<>(outputs);
    for (Signature.State state : states) {
      Node next = allMetrics.get(state.name());
      if (next != null) {
        reaching.add(next);
      }
    }
    checkUse(reaching, allMetrics, byInput);

    if (context.enumerated && !context.discounts.isEmpty()) {
      context.report(
          Diagnostic.of(
                  BAD_ESTIMATOR,
                  declaration.nameSpan(),
                  "occupancy measures are means over episodes that the policy draws, and with"
                      + " `exact()` every response is in the batch once")
              .withHelp("estimate it from samples: `estimate with rloo()`"));
    }
    Signature signature =
        new Signature(
            declaration.name(),
            declaration.span().source().path(),
            context.sequences,
            usedInputs(outputs, allMetrics.values()),
            parameters,
            limits.stream().flatMap(l -> l.dual().stream()).toList(),
            List.copyOf(allMetrics.keySet()),
            states,
            countsTokens(outputs, allMetrics.values()),
            context.grouped,
            context.enumerated,
            context.discounts);
    ObjectiveProgram program =
        new ObjectiveProgram(
            signature,
            declaration.documentation(),
            loss,
            List.copyOf(allMetrics.values()),
            violations,
            byInput,
            forward);
    if (context.sink.hasErrors()) {
      throw new Abandoned();
    }
    Map<String, String> actors = new LinkedHashMap<>();
    context.actors.values().forEach(a -> actors.put(a.name(), a.role().word()));
    return new CheckedObjective(
        declaration,
        b,
        program,
        valueNode,
        maximize,
        terms.stream()
            .map(t ->
                new CheckedObjective.Term(
                    t.name(),
                    t.leaf(),
                    t.value(),
                    t.divergence().map(CheckContext.DivergenceUse::divergence),
                    t.divergence().map(CheckContext.DivergenceUse::other).orElse("")))
            .toList(),
        limits,
        use.map(u -> u.declaration().name()).orElse(""),
        actors,
        computed,
        draws,
        context.fixed,
        targetOf(terms, valueNode),
        context.densities);
  }

  /** What is above 0 where a constraint is violated; for an equality, what is not 0. */
  private Node violation(CheckedObjective.Limit limit, Node value) {
    return limit.relation().equals(">=")
        ? b.subtract(limit.bound(), value)
        : b.subtract(value, limit.bound());
  }

  /**
   * The minimised objective with its constraints: the Lagrangian, penalties, barriers, switches.
   */
  private Node constrained(Node objective) {
    Node lagrangian = objective;
    int multipliers = 0;
    Node scale = b.constant(1);
    for (CheckedObjective.Limit limit : limits) {
      if (!(limit.handling() instanceof CheckedObjective.Handling.Multiplier dual)) {
        continue;
      }
      Node multiplier = b.multiplier(multipliers++, limit.multiplier());
      if (normalized.contains(limit.multiplier())) {
        scale = b.add(scale, multiplier);
      }
      if (dual.augmentation() > 0) {
        lagrangian = b.add(lagrangian, augmented(limit, multiplier, dual.augmentation()));
        continue;
      }
      Node term = b.multiply(multiplier, limit.value());
      lagrangian =
          limit.relation().equals(">=") ? b.subtract(lagrangian, term) : b.add(lagrangian, term);
    }
    // Multipliers carry no gradient: (A_R - lambda A_C) / (1 + lambda) is the same direction,
    // shorter.
    lagrangian = b.divide(lagrangian, scale);
    for (CheckedObjective.Limit limit : limits) {
      Node g = violation(limit, limit.value());
      switch (limit.handling()) {
        case CheckedObjective.Handling.Penalty penalty -> {
          // At 0 the derivative is 0.
          Node size =
              limit.relation().equals("==")
                  ? b.apply(Unary.ABS, g)
                  : b.combine(Binary.MAXIMUM, b.constant(0), g);
          Node term = penalty.power() == 2 ? b.multiply(size, size) : size;
          lagrangian = b.add(lagrangian, b.multiply(penalty.weight(), term));
        }
        case CheckedObjective.Handling.Barrier barrier -> {
          Node slack =
              b.checked(
                  new Operation.Checked(
                      "the barrier of a constraint has no value where the constraint is violated",
                      limit.value().origin().place()),
                  b.negate(g));
          lagrangian = b.subtract(lagrangian, b.divide(b.log(slack), barrier.sharpness()));
        }
        case CheckedObjective.Handling.Multiplier _, CheckedObjective.Handling.Switching _ -> {}
      }
    }
    // The first violated constraint in the order written is the one that is descended.
    for (CheckedObjective.Limit limit : limits.reversed()) {
      if (limit.handling() instanceof CheckedObjective.Handling.Switching switching) {
        Node g = violation(limit, limit.value());
        Node violated = b.combine(Binary.LESS, switching.tolerance(), g);
        lagrangian = b.select(violated, g, lagrangian);
      }
    }
    return lagrangian;
  }

  /**
   * The term of the augmented Lagrangian (Nocedal and Wright 2006, equations 17.36 and 17.64):
   * {@code lambda g + rho / 2 g^2} for an equality, {@code (max(0, lambda + rho g)^2 - lambda^2) /
   * (2 rho)} else.
   */
  private Node augmented(CheckedObjective.Limit limit, Node multiplier, double penalty) {
    Node rho = b.constant(penalty);
    Node g = violation(limit, limit.value());
    if (limit.relation().equals("==")) {
      Node quadratic = b.multiply(b.constant(penalty / 2), b.multiply(g, g));
      return b.add(b.multiply(multiplier, g), quadratic);
    }
    Node moved = b.add(multiplier, b.multiply(rho, g));
    Node positive = b.combine(Binary.MAXIMUM, b.constant(0), moved);
    return b.divide(
        b.subtract(b.multiply(positive, positive), b.multiply(multiplier, multiplier)),
        b.constant(2 * penalty));
  }

  private Optional<Node> targetOf(List<CheckContext.ExpectationTerm> terms, Node valueNode) {
    if (terms.size() == 1
        && limits.isEmpty()
        && terms.get(0).leaf() == valueNode
        && terms.get(0).divergence().map(CheckContext.DivergenceUse::target).orElse(false)) {
      String name = terms.get(0).divergence().orElseThrow().other();
      CheckContext.TargetDensity density = context.targets.get(name);
      return density == null ? Optional.empty() : Optional.of(density.logDensity());
    }
    return Optional.empty();
  }

  /** The mean of every reward that reaches the loss, so that each term of a mixture is logged. */
  private void rewardMeans(EstimatorUse estimator, Node loss, Map<String, Node> into) {
    Set<Node> reached = new HashSet<>(ObjectiveProgram.reachable(List.of(loss)));
    for (Statement statement : declaration.statements()) {
      if (statement instanceof Statement.Column column
          && column.role() == Statement.ColumnRole.REWARD
          && scope.isUsed(column.name())
          && !into.containsKey(column.name())
          && declaration.statements().stream()
              .noneMatch(s -> s instanceof Statement.Metric m && m.name().equals(column.name()))
          && scope.find(column.name()).orElse(null) instanceof Meaning.Value value
          && value.kind() == Kind.REAL
          && !value.ensemble()
          && value.domain().equals(Domain.sequence("y"))
          && reached.contains(value.node())) {
        b.at(column.span());
        into.put(
            column.name(),
            estimated(estimator, value.node(), false)
                .orElseGet(() -> b.meanTo(value.node(), Domain.BATCH, "mean over no sequences")));
      }
    }
  }

  /** Minus the surrogate of the combined return, plus what remains without expectations. */
  private Node surrogateLoss(
      Node lagrangian, Map<Node, Node> means, EstimatorUse estimator, Span place) {
    Map<Node, Node> slopes = ReverseMode.gradient(b, lagrangian);
    b.at(place);
    Substitution atMeans = new Substitution(b, means);
    Node reward = b.constant(0);
    Node explained = b.constant(0);
    boolean linear = true;
    for (CheckContext.ExpectationTerm term : context.expectations) {
      Node slope = slopes.get(term.leaf());
      if (slope == null) {
        continue;
      }
      // What a coefficient is made of may have a gradient of its own, weighed by the expectation.
      linear &= !slope.active();
      Node weight = b.stop(atMeans.apply(slope));
      reward = b.subtract(reward, b.multiply(weight, term.score()));
      Node mean = means.get(term.leaf());
      if (mean == null) {
        throw new IllegalStateException("no mean for " + term.name());
      }
      explained = b.add(explained, b.multiply(weight, mean));
    }
    Node direct;
    if (linear) {
      Map<Node, Node> zeros = new LinkedHashMap<>();
      means.keySet().forEach(leaf -> zeros.put(leaf, b.constant(0)));
      direct = new Substitution(b, zeros).apply(lagrangian);
    } else {
      direct = b.subtract(atMeans.apply(lagrangian), explained);
    }
    Node surrogate =
        estimated(estimator, row(estimator, reward), true)
            .orElseThrow(() ->
                context.fail(
                    BAD_ESTIMATOR,
                    estimator.declaration().nameSpan(),
                    "the estimator `" + estimator.declaration().name() + "` has no surrogate",
                    "add a line `surrogate ...`: what is maximised in place of E["
                        + estimator.declaration().reward()
                        + "]"));
    return b.subtract(direct, surrogate);
  }

  /** What an estimator sees: one number per sequence, or rewards per token. */
  private Node row(EstimatorUse estimator, Node reward) {
    return estimator.declaration().rewardType().name().equals("sequence")
        ? b.broadcast(reward, Domain.sequence("y"))
        : b.broadcast(perToken(reward), Domain.token("y"));
  }

  /** Whether a value is made of sums over tokens by addition and by factors. */
  private static boolean sumsTokens(Node value) {
    return switch (value.operation()) {
      case Operation.Reduce reduce -> reduce.reduction() == Operation.Reduction.SUM;
      case Operation.Stop _, Operation.Lift _ -> sumsTokens(value.operand(0));
      case Operation.Apply apply ->
          apply.function() == Unary.NEGATE && sumsTokens(value.operand(0));
      case Operation.Combine combine ->
          switch (combine.function()) {
            case ADD, SUBTRACT, LOG_RATIO, MULTIPLY ->
                sumsTokens(value.operand(0)) || sumsTokens(value.operand(1));
            case DIVIDE -> sumsTokens(value.operand(0));
            default -> false;
          };
      default -> false;
    };
  }

  /**
   * A return per sequence as rewards per token that add up to it: the tokens of its sums over
   * tokens, and what is no such sum at the last token.
   */
  private Node perToken(Node value) {
    Domain tokens = Domain.token("y");
    List<Node> operands = value.operands();
    switch (value.operation()) {
      case Operation.Reduce reduce
          when reduce.reduction() == Operation.Reduction.SUM
              && operands.get(0).domain().equals(tokens) -> {
        return operands.get(0);
      }
      case Operation.Stop _, Operation.Lift _ -> {
        return perToken(operands.get(0));
      }
      case Operation.Apply apply when apply.function() == Unary.NEGATE -> {
        return b.negate(perToken(operands.get(0)));
      }
      case Operation.Combine combine
          when combine.function() == Binary.ADD
              || combine.function() == Binary.SUBTRACT
              || combine.function() == Binary.LOG_RATIO -> {
        Node first = perToken(operands.get(0));
        Node second = perToken(operands.get(1));
        return combine.function() == Binary.ADD ? b.add(first, second) : b.subtract(first, second);
      }
      case Operation.Combine combine when combine.function() == Binary.MULTIPLY -> {
        for (int i = 0; i < 2; i++) {
          if (sumsTokens(operands.get(i)) && !sumsTokens(operands.get(1 - i))) {
            return b.multiply(operands.get(1 - i), perToken(operands.get(i)));
          }
        }
      }
      case Operation.Combine combine
          when combine.function() == Binary.DIVIDE && sumsTokens(operands.get(0)) -> {
        return b.divide(perToken(operands.get(0)), operands.get(1));
      }
      default -> {}
    }
    if (GraphBuilder.constantValue(value).orElse(1) == 0) {
      return value;
    }
    Domain sequence = Domain.sequence("y");
    Node last = b.subtract(b.count(tokens, sequence), b.constant(1));
    Node isLast = b.combine(Binary.EQUAL, b.position(tokens, sequence), last);
    return b.select(isLast, b.broadcast(value, tokens), b.constant(0));
  }

  private List<Signature.Input> usedInputs(
      List<Node> outputs, java.util.Collection<Node> measured) {
    List<Node> all = new ArrayList<>(outputs);
    all.addAll(measured);
    Set<String> read = new HashSet<>();
    Set<String> takenOf = new HashSet<>();
    for (Node node : ObjectiveProgram.reachable(all)) {
      switch (node.operation()) {
        case Operation.Input input -> read.add(input.input().name());
        case Operation.Taken _ -> takenOf.add(node.domain().owner());
        case Operation.OneHot _ -> takenOf.add(node.domain().owner());
        default -> {}
      }
    }
    return context.inputs.values().stream()
        .filter(i ->
            i.role() == Signature.Role.TOKENS
                ? takenOf.contains(i.sequence())
                : read.contains(i.name()))
        .toList();
  }

  /** Whether a value depends on how many tokens a row has. */
  private static boolean countsTokens(List<Node> outputs, java.util.Collection<Node> measured) {
    List<Node> all = new ArrayList<>(outputs);
    all.addAll(measured);
    return ObjectiveProgram.reachable(all).stream()
        .anyMatch(n ->
            n.domain().level().compareTo(Level.TOKEN) >= 0
                || (n.operation() instanceof Operation.Count count
                    && count.from().level() == Level.TOKEN));
  }

  /** Whether a parameter is added and subtracted again, so that no output depends on it. */
  private static boolean cancels(Node parameter, List<Node> outputs) {
    return ObjectiveProgram.reachable(outputs).stream()
            .noneMatch(n -> n.operation() instanceof Operation.Expectation)
        && outputs.stream().allMatch(o -> ShiftInvariance.holds(Set.of(parameter), o));
  }

  /** What to do about a parameter that only other forms of the objective read. */
  private Optional<String> forms(Declaration.Parameter parameter) {
    List<String> switches =
        declaration.parameters().stream()
            .filter(p -> p.type().map(Declaration.TypeExpression::name).orElse("").equals("Bool"))
            .map(p -> "`" + p.name() + "`")
            .toList();
    return switches.isEmpty() || !parameterScope.isUsed(parameter.name())
        ? Optional.empty()
        : Optional.of(
            "the form that %s chooses does not read it: write the number where another form needs it, or an objective for each form"
                .formatted(String.join(", ", switches)));
  }

  /**
   * The forms that whoever uses the objective has chosen. What only other forms read is then no
   * mistake: the objective as it is declared was found to read it.
   */
  private List<String> formsGiven() {
    return declaration.parameters().stream()
        .filter(p -> {
          String type = p.type().map(Declaration.TypeExpression::name).orElse("Real");
          return type.equals("Bool") || type.equals("Divergence");
        })
        .flatMap(p ->
            Stream.ofNullable(values.get(p.name()))
                .map(value -> "`" + p.name() + " = " + value.span().text() + "`"))
        .toList();
  }

  /** Whatever is declared must matter. */
  private void checkUse(
      List<Node> outputs, Map<String, Node> metrics, Map<Signature.Input, Node> gradients) {
    java.util.Collection<Node> measured = metrics.values();
    Set<String> moved = new HashSet<>();
    gradients.forEach((input, gradient) -> {
      if (input.role() == Signature.Role.LEARNED
          && GraphBuilder.constantValue(gradient).orElse(1) != 0) {
        moved.add(Signature.block(input));
      }
    });
    Set<String> parametersRead = new HashSet<>(context.fixed.keySet());
    for (Node node : ObjectiveProgram.reachable(outputs)) {
      if (node.operation() instanceof Operation.Parameter parameter && !cancels(node, outputs)) {
        parametersRead.add(parameter.name());
      }
    }
    for (Declaration.Parameter parameter : declaration.parameters()) {
      String type = parameter.type().map(Declaration.TypeExpression::name).orElse("Real");
      boolean used =
          type.equals("Real") || type.equals("Int")
              ? parametersRead.contains(parameter.name())
              : parameterScope.isUsed(parameter.name());
      boolean otherForm = !formsGiven().isEmpty() && parameterScope.isUsed(parameter.name());
      Expression given = values.get(parameter.name());
      // Without a default the parameter must be given, whatever the form.
      if (!used && otherForm && given != null && parameter.defaultValue().isPresent()) {
        context.report(
            Diagnostic.of(
                    UNUSED_PARAMETER,
                    given.span(),
                    "`%s` is given a value, which the form with %s does not read"
                        .formatted(parameter.name(), String.join(", ", formsGiven())))
                .withHelp("leave `" + parameter.name() + "` out, or choose a form that reads it"));
      } else if (!used && !otherForm) {
        context.report(
            Diagnostic.of(
                    UNUSED_PARAMETER,
                    parameter.span(),
                    "`"
                        + parameter.name()
                        + "` does not reach the loss: changing it changes nothing")
                .withHelp(forms(parameter).orElse("use it, or remove it"))
                .withFix(
                    Fix.suggested("remove `" + parameter.name() + "`", removal(parameter.span()))));
      }
    }
    List<Node> all = new ArrayList<>(outputs);
    all.addAll(measured);
    Set<String> columns = new HashSet<>();
    Set<String> actors = new HashSet<>();
    for (Node node : ObjectiveProgram.reachable(all)) {
      if (node.operation() instanceof Operation.Input input) {
        String name = input.input().name();
        columns.add(name.substring(name.lastIndexOf('.') + 1));
        actors.add(Signature.opponent(input.input()).orElse(input.input().actor()));
      }
    }
    // What responses are drawn from decides which rows there are, whether its tensors are read or
    // not.
    declaration.statements().stream()
        .filter(Statement.Sample.class::isInstance)
        .forEach(s -> actors.add(((Statement.Sample) s).actor()));
    // What an actor is made of is used where the actor is.
    computed.forEach((name, what) -> {
      if (actors.contains(name)) {
        what.arguments().values().stream()
            .filter(String.class::isInstance)
            .forEach(part -> actors.add((String) part));
      }
    });
    for (Statement statement : declaration.statements()) {
      switch (statement) {
        case Statement.Column column -> {
          boolean used =
              column.definition().isPresent()
                  ? scope.isUsed(column.name())
                  : column.role() == Statement.ColumnRole.LEARN
                      ? moved(column, moved)
                      : columns.contains(column.name());
          if (!used) {
            context.report(
                unused(
                    column.nameSpan(),
                    column.span(),
                    column.role() == Statement.ColumnRole.LEARN
                        ? "learned block"
                        : column.role().word(),
                    column.name()));
          }
        }
        case Statement.Actor actor -> {
          if (!actors.contains(actor.name())) {
            context.report(
                unused(actor.nameSpan(), actor.span(), actor.role().word(), actor.name()));
          }
        }
        case Statement.Labelled labelled -> {
          if (!columns.contains("label")) {
            context.report(
                unused(labelled.span(), labelled.span(), "label of", labelled.sequence()));
          }
        }
        case Statement.Target target -> {
          if (!scope.isUsed(target.name())) {
            context.report(unused(target.nameSpan(), target.span(), "target", target.name()));
          }
        }
        case Statement.State state -> {
          // Its own next value reads it, and so says nothing.
          List<Node> elsewhere = new ArrayList<>(outputs);
          elsewhere.remove(metrics.get(state.name()));
          metrics.forEach((name, node) -> {
            if (!name.equals(state.name())) {
              elsewhere.add(node);
            }
          });
          boolean read =
              ObjectiveProgram.reachable(elsewhere).stream()
                  .anyMatch(n ->
                      n.operation() instanceof Operation.Input input
                          && states.stream()
                              .filter(s -> s.name().equals(state.name()))
                              .anyMatch(s -> s.input().equals(input.input().name())));
          if (!read) {
            context.report(unused(state.nameSpan(), state.span(), "kept number", state.name()));
          }
        }
        case Statement.Preference preference -> {
          if (!scope.isUsed(preference.name())) {
            context.report(
                unused(preference.nameSpan(), preference.span(), "preference", preference.name()));
          }
        }
        case Statement.Pairs _,
            Statement.Sample _,
            Statement.Ranked _,
            Statement.GroupBy _,
            Statement.Let _,
            Statement.Sense _,
            Statement.SubjectTo _,
            Statement.EstimateWith _,
            Statement.Metric _,
            Statement.Expectation _,
            Statement.Surrogate _,
            Statement.Enumerate _ -> {}
      }
    }
  }

  /** Whether a trained block has a gradient; of an ensemble one of its members. */
  private static boolean moved(Statement.Column block, Set<String> moved) {
    int members = block.type().map(Declaration.TypeExpression::size).orElse(0);
    return members == 0
        ? moved.contains(block.name())
        : Statement.members(block.name(), members).stream().anyMatch(moved::contains);
  }

  private static Diagnostic unused(Span name, Span statement, String what, String called) {
    return Diagnostic.of(
            UNUSED_DATA, name, "the " + what + " `" + called + "` does not reach the loss")
        .withHelp("use it, or remove it")
        .withFix(Fix.suggested("remove `" + called + "`", Edit.removeStatement(statement)));
  }

  /** Takes a parameter out, with a comma beside it, and the parentheses if it is the only one. */
  private Edit removal(Span parameter) {
    List<Declaration.Parameter> all = declaration.parameters();
    SourceFile source = parameter.source();
    if (all.size() == 1) {
      int open = source.text().lastIndexOf('(', parameter.start());
      int close = source.text().indexOf(')', parameter.end());
      return Edit.remove(source.span(open, close + 1));
    }
    for (int i = 0; i < all.size() - 1; i++) {
      if (all.get(i).span().equals(parameter)) {
        return Edit.remove(source.span(parameter.start(), all.get(i + 1).span().start()));
      }
    }
    return Edit.remove(source.span(all.get(all.size() - 2).span().end(), parameter.end()));
  }
}
