package org.alignlang.compiler.explain;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.ExpressionWalk;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.check.Divergence;
import org.alignlang.compiler.check.DivergenceRegistry;
import org.alignlang.compiler.check.Meaning;
import org.alignlang.compiler.check.Scope;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.emit.PlanPrinter;
import org.alignlang.compiler.explain.Explanation.Equation;
import org.alignlang.compiler.explain.Explanation.Inline;
import org.alignlang.compiler.explain.Notation.Symbol;
import org.alignlang.compiler.gradient.ReverseMode;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Substitution;
import org.alignlang.compiler.plan.Planner;
import org.alignlang.compiler.plan.Stages;
import org.alignlang.compiler.source.Span;
import org.alignlang.compiler.symbolic.DerivedDivergence;
import org.alignlang.compiler.symbolic.DivergenceCalculus;
import org.alignlang.compiler.symbolic.GradientWeight.Descent;
import org.alignlang.compiler.symbolic.GradientWeight.Estimator;
import org.alignlang.compiler.symbolic.GradientWeight.Placement;
import org.alignlang.compiler.symbolic.Inverse;
import org.alignlang.compiler.symbolic.Sum;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/**
 * An objective as mathematics: as it is written, and what the compiler made of it: the loss, its
 * gradient, what each divergence term descends, how multipliers move, the optimum where it is
 * known, and what a batch must hold.
 */
public final class ObjectiveExplainer {
  private final CheckedObjective objective;
  private final Declaration.ObjectiveDeclaration declaration;
  private final Scope scope;
  private final WrittenNotation written;
  private final Map<String, Symbol> actors = new HashMap<>();
  private final Explanation out = new Explanation();

  private final Map<String, Expression> values;

  private ObjectiveExplainer(
      CheckedObjective objective, Scope scope, Map<String, Expression> values) {
    this.objective = objective;
    this.values = Map.copyOf(values);
    this.declaration = objective.declaration();
    this.scope = scope;
    this.written = new WrittenNotation(declaration.statements(), declaration.parameters());
    objective
        .actors()
        .forEach((name, role) -> actors.put(name, Symbols.actor(name, role.equals("policy"))));
    actors.put("", written.policy());
  }

  /**
   * Explains an objective.
   *
   * @param scope what its module sees
   */
  public static Explanation explain(CheckedObjective objective, Scope scope) {
    return explain(objective, scope, Map.of());
  }

  /**
   * Explains an objective whose parameters have these values in place of their defaults.
   *
   * @param scope what its module sees
   * @param values what it was checked with
   */
  public static Explanation explain(
      CheckedObjective objective, Scope scope, Map<String, Expression> values) {
    ObjectiveExplainer explainer = new ObjectiveExplainer(objective, scope, values);
    explainer.run();
    return explainer.out;
  }

  private void run() {
    out.heading(1, "objective " + objective.name());
    out.documentation(declaration.documentation());
    asWritten();
    estimator();
    Optional<Declaration.EstimatorDeclaration> estimator = estimatorDeclaration();
    loss(estimator);
    estimates(estimator);
    divergences();
    constraints();
    optimum();
    preferenceOptimum();
    formalism();
    kernel();
    batch();
    parameters();
  }

  // As written.

  private void asWritten() {
    out.heading(2, "As written");
    List<Equation> goal = new ArrayList<>();
    List<Equation> where = new ArrayList<>();
    for (Statement statement : declaration.statements()) {
      switch (statement) {
        case Statement.Sense sense ->
            goal.add(
                new Equation(
                    Notation.symbol(
                        sense.maximize() ? "max" : "min",
                        (sense.maximize() ? "\\max_{" : "\\min_{")
                            + written.policy().latex()
                            + "}"),
                    Notation.symbol("", "\\quad"),
                    written.of(sense.value())));
        case Statement.SubjectTo subject ->
            subject
                .constraints()
                .forEach(c ->
                    goal.add(
                        new Equation(
                            Notation.symbol("s.t.", "\\text{s.t.}"),
                            Notation.symbol("", "\\quad"),
                            constraint(c))));
        case Statement.Let let -> where.add(let(let, written));
        case Statement.Target target ->
            where.add(
                new Equation(
                    new Notation.Called(
                        Symbols.function(target.name()),
                        List.of(Symbols.sequence(target.sequence()))),
                    Notation.symbol("∝", "\\propto"),
                    written.of(target.density())));
        case Statement.Column column when column.definition().isPresent() ->
            where.add(
                new Equation(
                    new Notation.Called(
                        Symbols.function(column.name()), List.of(Symbols.sequence("y"))),
                    Symbols.EQUALS,
                    written.of(column.definition().get())));
        case Statement.State state ->
            where.add(
                new Equation(
                    Symbols.function(state.name()),
                    Notation.symbol("←", "\\leftarrow"),
                    written.of(state.next())));
        case Statement.Metric metric ->
            where.add(
                new Equation(
                    Symbols.function(metric.name()), Symbols.EQUALS, written.of(metric.value())));
        case Statement.Actor _,
            Statement.Column _,
            Statement.Pairs _,
            Statement.Labelled _,
            Statement.Sample _,
            Statement.Ranked _,
            Statement.Preference _,
            Statement.GroupBy _,
            Statement.EstimateWith _,
            Statement.Expectation _,
            Statement.Surrogate _,
            Statement.Enumerate _ -> {}
      }
    }
    out.equations(goal);
    if (!where.isEmpty()) {
      out.paragraph("where");
      out.equations(where);
    }
  }

  private Notation constraint(Statement.Constraint constraint) {
    Notation condition = written.of(constraint.condition());
    if (constraint.method().isPresent()) {
      String method = constraint.method().get().name();
      return new Notation.Row(
          List.of(
              condition,
              Notation.symbol("   [by " + method + "]", "\\qquad \\text{by " + method + "}")));
    }
    if (constraint.multiplier().isEmpty()) {
      return condition;
    }
    return new Notation.Row(
        List.of(
            condition,
            new Notation.Enclosed(
                Notation.symbol("   [", "\\qquad \\left["),
                signed(constraint),
                Symbols.BRACKET_CLOSE)));
  }

  /** A multiplier with its sign: that of an equality has none. */
  private static Notation signed(Statement.Constraint constraint) {
    Notation multiplier =
        Symbols.name(
            constraint.multiplier().map(Statement.MultiplierClause::name).orElse("lambda"));
    boolean equality =
        constraint.condition() instanceof Expression.Binary b
            && b.operator() == Expression.Operator.EQUAL;
    return equality
        ? multiplier
        : WrittenNotation.relation(multiplier, "≥", "\\ge", new Notation.Number(0));
  }

  private static Equation let(Statement.Let let, WrittenNotation notation) {
    Notation left =
        let.parameters()
            .<Notation>map(parameters ->
                new Notation.Called(
                    Symbols.function(let.name()),
                    parameters.stream().<Notation>map(p -> Symbols.sequence(p.name())).toList()))
            .orElseGet(() -> Symbols.name(let.name()));
    return new Equation(left, Symbols.EQUALS, notation.of(let.value()));
  }

  // Estimator.

  private Optional<Declaration.EstimatorDeclaration> estimatorDeclaration() {
    return scope
        .find(objective.estimator())
        .filter(Meaning.EstimatorName.class::isInstance)
        .map(m -> ((Meaning.EstimatorName) m).declaration());
  }

  private void estimator() {
    Optional<Declaration.EstimatorDeclaration> found = estimatorDeclaration();
    if (found.isEmpty()) {
      return;
    }
    Declaration.EstimatorDeclaration estimator = found.get();
    WrittenNotation notation = WrittenNotation.ofEstimator(estimator);
    out.heading(2, "Estimator " + estimator.name());
    out.documentation(estimator.documentation());
    List<Equation> equations = new ArrayList<>();
    List<Equation> lets = new ArrayList<>();
    for (Statement statement : estimator.statements()) {
      switch (statement) {
        case Statement.Surrogate surrogate ->
            equations.add(
                new Equation(
                    Notation.symbol("∇𝔼[r]", "\\nabla\\, \\mathbb{E}[r]"),
                    Notation.symbol("≈ ∇", "\\approx \\nabla"),
                    new Notation.Enclosed(
                        Notation.symbol("{ ", "\\left\\{"),
                        notation.of(surrogate.value()),
                        Notation.symbol(" }", "\\}"))));
        case Statement.Let let -> lets.add(let(let, notation));
        default -> {}
      }
    }
    out.equations(equations);
    if (!lets.isEmpty()) {
      out.paragraph("where");
      out.equations(lets);
    }
  }

  // Loss and gradient.

  private void loss(Optional<Declaration.EstimatorDeclaration> estimator) {
    ObjectiveProgram program = objective.program();
    Map<Span, Symbol> names = new LinkedHashMap<>();
    estimator.ifPresent(e -> lets(e.statements(), names));
    lets(declaration.statements(), names);
    // What the estimator is given is made where the objective is: the combined return.
    Optional<Span> returned =
        declaration.statements().stream()
            .filter(Statement.Sense.class::isInstance)
            .map(Statement::span)
            .filter(_ -> estimator.isPresent())
            .findFirst();
    List<Node> roots = new ArrayList<>(List.of(program.loss()));
    roots.addAll(program.gradients().values());
    GraphNotation graph =
        new GraphNotation(
            actors,
            program.signature().sequences(),
            names,
            objective.densities(),
            returned,
            program.loss(),
            roots);
    out.heading(2, "Loss");
    out.paragraph(
        objective.estimator().isEmpty()
            ? "What is minimised:"
            : "What is minimised on samples from the policy, so that its gradient is the"
                + " estimate:");
    Notation loss = graph.of(program.loss());
    List<Notation> slopes = program.gradients().values().stream().map(graph::detached).toList();
    out.equation(Symbols.LOSS, Symbols.EQUALS, loss);
    out.heading(2, "Gradient");
    List<Equation> equations = new ArrayList<>();
    int i = 0;
    for (Signature.Input input : program.gradients().keySet()) {
      Notation of = graph.input(input, 0);
      Notation left =
          Notation.symbol(
              "∂ℒ/∂ " + NotationPrinter.unicode(of),
              "\\frac{\\partial \\mathcal{L}}{\\partial " + NotationPrinter.latex(of) + "}");
      equations.add(new Equation(left, Symbols.EQUALS, slopes.get(i++)));
    }
    out.equations(equations);
    List<Equation> definitions = graph.definitions();
    if (!definitions.isEmpty()) {
      out.paragraph("where, in both,");
      out.equations(definitions);
    }
    out.paragraph(legend(program));
    StringBuilder text = new StringBuilder(NotationPrinter.unicode(loss));
    Stream.concat(equations.stream(), definitions.stream())
        .forEach(e -> text.append('\n').append(NotationPrinter.unicode(e.right())));
    for (List<Object> meaning : graph.meanings(text.toString())) {
      List<Object> sentence = new ArrayList<>(meaning);
      sentence.add(".");
      out.paragraph(sentence.toArray());
    }
  }

  private static void lets(List<Statement> statements, Map<Span, Symbol> names) {
    for (Statement statement : statements) {
      if (statement instanceof Statement.Let let && let.parameters().isEmpty()) {
        names.put(let.value().span(), Symbols.name(let.name()));
      }
    }
  }

  private Object[] legend(ObjectiveProgram program) {
    List<Object> pieces = new ArrayList<>();
    boolean logits =
        program.signature().inputs().stream().anyMatch(i -> i.role() == Signature.Role.LOGITS);
    Symbol y = Symbols.sequence(program.signature().sequences().getFirst());
    pieces.add(Symbols.token(y));
    pieces.add(" is the token at position ");
    pieces.add(Symbols.TOKEN);
    pieces.add(", given the prompt and the tokens before it; ");
    if (logits) {
      pieces.add(Symbols.name("z"));
      pieces.add(" are logits, ");
      pieces.add(Symbols.VOCAB);
      pieces.add(" runs over the vocabulary; ");
    }
    pieces.add(Symbols.ROWS);
    pieces.add(
        switch (program.signature().sequences().size()) {
          case 1 -> " sequences are in the batch";
          case 2 -> " pairs are in the batch";
          default -> " rows are in the batch";
        });
    if (program.signature().grouped()) {
      pieces.add(", ");
      pieces.add(Symbols.name("K"));
      pieces.add(" of them for the prompt ");
      pieces.add(Symbols.name("x"));
      pieces.add(" of ");
      pieces.add(y);
    }
    pieces.add(".");
    return pieces.toArray();
  }

  // Divergences.

  private record DivergenceCall(Expression.Call call, Divergence divergence) {}

  private void divergences() {
    List<DivergenceCall> calls = new ArrayList<>();
    DiagnosticSink quiet = new DiagnosticSink();
    ExpressionWalk.of(declaration.statements())
        .forEach(e -> {
          if (e instanceof Expression.Call call
              && !call.arguments().isEmpty()
              && call.arguments().getFirst().against().isPresent()) {
            DivergenceRegistry.find(named(call.function()), scope, quiet)
                .ifPresent(d -> calls.add(new DivergenceCall(call, d)));
          } else if (e instanceof Expression.Member member && member.name().equals("link")) {
            DivergenceRegistry.find(named(member.target()), scope, quiet)
                .ifPresent(d -> calls.add(new DivergenceCall(asCall(member), d)));
          }
        });
    if (calls.isEmpty()) {
      return;
    }
    out.heading(2, "Divergences");
    Map<String, Divergence> named = DivergenceRegistry.named(scope, declaration.nameSpan());
    Set<String> shown = new HashSet<>();
    for (DivergenceCall use : calls) {
      boolean link = use.call().arguments().isEmpty();
      Notation title = link ? new Notation.Words(use.divergence().name()) : written.of(use.call());
      if (shown.add(NotationPrinter.unicode(title))) {
        out.equation(
            title,
            Notation.symbol(":", ":\\quad"),
            Symbols.list(
                List.of(
                    equals("f(u)", "f(u)", use.divergence().f()),
                    equals("f′(u)", "f'(u)", use.divergence().f().derivative()))));
        out.paragraph(remark(use, named));
      }
    }
  }

  private static Notation equals(String unicode, String latex, Sum value) {
    return new Notation.Relation(
        Notation.symbol(unicode, latex), Symbols.EQUALS, DivergenceExplainer.sum(value));
  }

  private static Expression.Call asCall(Expression.Member member) {
    return new Expression.Call(member.span(), member, List.of());
  }

  /** {@code occupancy(pi)}. */
  private static boolean isOccupancy(Expression expression) {
    return expression instanceof Expression.Call call
        && call.function() instanceof Expression.NameReference name
        && name.name().equals("occupancy");
  }

  /** A divergence parameter stands for its value. */
  private Expression named(Expression expression) {
    if (expression instanceof Expression.NameReference name) {
      for (Declaration.Parameter parameter : declaration.parameters()) {
        if (parameter.name().equals(name.name())) {
          return value(parameter).orElse(expression);
        }
      }
    }
    return expression;
  }

  /** What a parameter is: the value given, or its default. */
  private Optional<Expression> value(Declaration.Parameter parameter) {
    return Optional.ofNullable(values.get(parameter.name())).or(parameter::defaultValue);
  }

  private String remark(DivergenceCall use, Map<String, Divergence> named) {
    Expression.Call call = use.call();
    String name = use.divergence().name();
    if (call.arguments().isEmpty()) {
      return DivergenceExplainer.isLogarithm(use.divergence())
          ? name
              + ": the link is the log-ratio; the implicit reward is its multiple, up to the"
              + " logarithm of the normaliser, which is the same for both responses of a prompt."
          : name
              + ": the link is f′; the optimum fixes it up to a constant per prompt, which cancels"
              + " because the loss depends on differences only.";
    }
    Map<String, String> options = new HashMap<>();
    call.arguments().stream()
        .skip(1)
        .forEach(a -> options.put(a.name().orElse(""), a.value().span().text()));
    if (isOccupancy(call.arguments().getFirst().value())) {
      return "Between occupancy measures, how often each state and action come up in an episode."
          + " As a functional of d_π its derivative is f′(d_π/d), which is therefore a reward per"
          + " step, taken as a constant and less its mean (Zahavy et al. 2021, Reward is enough for"
          + " convex MDPs).";
    }
    String by = options.getOrDefault("by", "");
    String in = options.getOrDefault("in", "");
    boolean perToken = options.getOrDefault("per", "").equals("token");
    String scope =
        perToken
            ? "at each token, with the prefixes held fixed: it does not see which prefixes are"
                + " visited"
            : "over whole sequences";
    boolean vocabulary =
        call.arguments().getFirst().value() instanceof Expression.Call p
            && p.span().text().contains(".vocab");
    if (vocabulary || by.equals("exact")) {
      return "Summed over the vocabulary, exactly, at each visited position; the prefixes are held"
          + " fixed. Both value and gradient are those of "
          + name
          + " between next-token distributions.";
    }
    if (by.isEmpty() || !by.matches("k[123]")) {
      return "Taken " + scope + " and estimated with the rewards: " + score(call, name);
    }
    boolean policyLeft = isPolicy(call.arguments().getFirst().value());
    Divergence oriented = policyLeft ? use.divergence() : use.divergence().dual();
    Estimator k = Estimator.values()[by.charAt(1) - '1'];
    Placement placement =
        in.equals("loss")
            ? options.getOrDefault("weight", "").equals("ratio")
                ? Placement.LOSS_TIMES_RATIO
                : Placement.LOSS
            : Placement.REWARD;
    String descends =
        switch (oriented.descends(oriented.weight(k, placement), named)) {
          case Descent.Matches _ -> "its expected gradient is exactly that of " + name;
          case Descent.Zero _ -> "its expected gradient is zero";
          case Descent.MatchesOther(String other, double scale) ->
              "it descends "
                  + (scale == 1 ? "" : NotationPrinter.unicode(Notation.number(scale)) + " times ")
                  + other
                  + " and not "
                  + name;
          case Descent.None _ -> "its expected gradient is that of no divergence that has a name";
        };
    return "Estimated by "
        + by
        + " in the "
        + (placement == Placement.REWARD ? "reward" : "loss")
        + ", "
        + scope
        + "; on samples of the policy "
        + descends
        + ".";
  }

  /** What a sample is scored by: the derivative by the policy's probability, up to a constant. */
  private String score(Expression.Call call, String name) {
    Expression.Argument sides = call.arguments().getFirst();
    boolean policyLeft = isPolicy(sides.value());
    String other = other(policyLeft ? sides.against().orElse(sides.value()) : sides.value());
    return "the score of a sample is "
        + (policyLeft ? "f′(π/" + other + ")" : "g′(π/" + other + ") with g(u) = u f(1/u)")
        + ", whose expected gradient is exactly that of "
        + name
        + ".";
  }

  private boolean isPolicy(Expression side) {
    return side instanceof Expression.NameReference p
        && "policy".equals(objective.actors().get(p.name()));
  }

  private String other(Expression side) {
    return NotationPrinter.unicode(written.of(side));
  }

  // Constraints.

  private void constraints() {
    if (objective.constraints().stream().allMatch(l -> l.dual().isEmpty())) {
      return;
    }
    out.heading(2, "Multipliers");
    for (CheckedObjective.Limit limit : objective.constraints()) {
      if (limit.dual().isEmpty()) {
        continue;
      }
      Signature.Constraint c = limit.dual().get();
      Symbol multiplier = Symbols.name(c.multiplier());
      Symbol violation = Notation.symbol("Δ", "\\Delta");
      GraphNotation graph = GraphNotation.plain(actors, limit.value());
      Notation value = graph.of(limit.value());
      Notation bound = graph.of(limit.bound());
      List<Equation> equations = new ArrayList<>();
      equations.add(
          new Equation(
              violation,
              Symbols.EQUALS,
              c.relation().equals(">=")
                  ? Notation.difference(bound, value)
                  : Notation.difference(value, bound)));
      equations.addAll(update(c, multiplier, violation));
      out.equations(equations);
      out.paragraph(
          "`"
              + c.multiplier()
              + "` starts at "
              + NotationPrinter.unicode(Notation.number(c.initial()))
              + (Double.isFinite(c.maximum())
                  ? " and never exceeds " + NotationPrinter.unicode(Notation.number(c.maximum()))
                  : "")
              + "; it carries no gradient, and Δ is positive where the constraint is broken.");
    }
  }

  private static List<Equation> update(
      Signature.Constraint c, Symbol multiplier, Symbol violation) {
    Symbol arrow = Notation.symbol("←", "\\leftarrow");
    Symbol nu = Symbols.name("nu");
    Notation rate = Notation.number(c.rate());
    Symbol max = Notation.symbol("max", "\\max");
    Notation zero = new Notation.Number(0);
    Notation step = Notation.product(rate, violation);
    return switch (c.form()) {
      case PROJECTED -> {
        Notation moved = Notation.sum(multiplier, step);
        yield List.of(
            new Equation(
                multiplier,
                arrow,
                c.relation().equals("==")
                    ? moved
                    : new Notation.Called(max, List.of(zero, moved))));
      }
      case LOG ->
          List.of(
              new Equation(multiplier, Symbols.EQUALS, Symbols.exp(nu)),
              new Equation(
                  nu,
                  arrow,
                  Notation.sum(nu, new Notation.Product(List.of(rate, multiplier, violation)))));
      case SOFTPLUS ->
          List.of(
              new Equation(
                  multiplier,
                  Symbols.EQUALS,
                  Symbols.log(Notation.sum(new Notation.Number(1), Symbols.exp(nu)))),
              new Equation(
                  nu,
                  arrow,
                  Notation.sum(
                      nu,
                      new Notation.Product(
                          List.of(
                              rate,
                              new Notation.Called(Symbols.SIGMOID, List.of(nu)),
                              violation)))));
      case PID -> {
        Symbol integral = Notation.symbol("I", "I");
        Symbol before = Notation.symbol("Δ′", "\\Delta'");
        yield List.of(
            new Equation(
                integral,
                arrow,
                new Notation.Called(
                    max,
                    List.of(
                        zero,
                        Notation.sum(
                            integral, Notation.product(Notation.number(c.ki()), violation))))),
            new Equation(
                multiplier,
                Symbols.EQUALS,
                new Notation.Called(
                    max,
                    List.of(
                        zero,
                        Notation.sum(
                            Notation.sum(
                                Notation.product(Notation.number(c.kp()), violation), integral),
                            Notation.product(
                                Notation.number(c.kd()),
                                new Notation.Called(
                                    max,
                                    List.of(zero, Notation.difference(violation, before)))))))));
      }
    };
  }

  // Optimum.

  private void optimum() {
    if (objective.target().isPresent()) {
      out.heading(2, "Optimum");
      out.paragraph(
          "The divergence is zero where the policy is the target: the optimum is the normalised"
              + " density above.");
      return;
    }
    Optional<CheckedObjective.Term> divergence = soleDivergence();
    if (divergence.isEmpty()) {
      return;
    }
    GraphBuilder b = objective.builder();
    Node value = objective.maximize() ? objective.value() : b.negate(objective.value());
    Map<Node, Node> slopes = ReverseMode.gradient(b, value);
    Map<Node, Node> zeros = new LinkedHashMap<>();
    objective.expectations().forEach(t -> zeros.put(t.leaf(), b.constant(0)));
    if (new Substitution(b, zeros).apply(objective.value()).active()) {
      return;
    }
    GraphNotation graph = GraphNotation.plain(actors, objective.value());
    Notation reward = new Notation.Number(0);
    Notation strength = new Notation.Number(0);
    for (CheckedObjective.Term term : objective.expectations()) {
      Node slope = slopes.get(term.leaf());
      if (slope == null) {
        continue;
      }
      if (ObjectiveProgram.reachable(List.of(slope)).stream()
          .anyMatch(n -> objective.expectations().stream().anyMatch(t -> t.leaf() == n))) {
        return;
      }
      if (term == divergence.get()) {
        strength = Notation.sum(strength, graph.of(b.negate(slope)));
      } else {
        reward = Notation.sum(reward, Notation.product(graph.of(slope), graph.of(term.content())));
      }
    }
    for (CheckedObjective.Limit limit : objective.constraints()) {
      Optional<CheckedObjective.Term> term =
          objective.expectations().stream().filter(t -> t.leaf() == limit.value()).findFirst();
      if (term.isEmpty()) {
        return;
      }
      if (limit.dual().isEmpty()) {
        // Without a multiplier the tilt of the optimum has no name in the spec.
        return;
      }
      Symbol multiplier = Symbols.name(limit.multiplier());
      boolean least = limit.relation().equals(">=");
      if (term.get() == divergence.get()) {
        strength =
            least ? Notation.difference(strength, multiplier) : Notation.sum(strength, multiplier);
      } else {
        Notation cost = Notation.product(multiplier, graph.of(term.get().content()));
        reward = least ? Notation.sum(reward, cost) : Notation.difference(reward, cost);
      }
    }
    optimum(divergence.get(), reward, strength);
  }

  private void optimum(CheckedObjective.Term term, Notation reward, Notation strength) {
    Divergence d = term.divergence().orElseThrow();
    DerivedDivergence derived = DivergenceCalculus.derive(d.f());
    Inverse inverse = derived.inverse();
    if (inverse instanceof Inverse.None || Notation.is(strength, 0)) {
      return;
    }
    out.heading(2, "Optimum");
    Notation reference =
        new Notation.Called(
            actors.getOrDefault(term.other(), Symbols.actor(term.other(), false)),
            List.of(Symbols.sequence("y")));
    Notation best =
        new Notation.Called(
            objective.playsItself() ? written.policy() : Notation.symbol("π*", "\\pi^{*}"),
            List.of(Symbols.sequence("y")));
    double scale = d.link().derivative().evaluate(1);
    if (DivergenceExplainer.isLogarithm(d)) {
      Notation below = Notation.product(Notation.number(scale), strength);
      if (objective.playsItself()) {
        out.paragraph(
            "The win rate of a policy against itself is 1/2 whatever it is, so there is no maximum"
                + " to look for: only the response has a gradient, and the opponent moves with it."
                + " Where this comes to rest the policy is its own best answer, the equilibrium"
                + " (Munos et al. 2024), of which there is one:");
      } else {
        out.paragraph("Over all policies, the maximum is the reference tilted by the rewards:");
      }
      out.equation(
          best,
          Notation.symbol("∝", "\\propto"),
          Notation.product(reference, Symbols.exp(Notation.quotient(reward, below))));
    } else {
      Symbol nu = Symbols.name("nu");
      out.paragraph("Over all policies, the maximum is, with ν so that it sums to 1 per prompt:");
      out.equation(
          best,
          Symbols.EQUALS,
          Notation.product(
              reference,
              DivergenceExplainer.inverse(
                  derived, Notation.quotient(Notation.difference(reward, nu), strength))));
      if (inverse instanceof Inverse.Closed closed) {
        out.equation(
            Notation.symbol("(f′)⁻¹(y)", "(f')^{-1}(y)"),
            Symbols.EQUALS,
            DivergenceExplainer.formula(closed.formula()));
      }
      DivergenceExplainer.zeros(derived, out);
    }
    if (!objective.constraints().isEmpty()) {
      out.paragraph(
          "Each multiplier is there the least one, 0 or more, at which its constraint holds.");
    }
  }

  private Optional<CheckedObjective.Term> soleDivergence() {
    List<CheckedObjective.Term> all =
        objective.expectations().stream().filter(t -> t.divergence().isPresent()).toList();
    return all.size() == 1 ? Optional.of(all.getFirst()) : Optional.empty();
  }

  /** The optimum of a loss over pairs, for preferences that a reward explains. */
  private void preferenceOptimum() {
    DiagnosticSink quiet = new DiagnosticSink();
    Optional<Divergence> link =
        ExpressionWalk.of(declaration.statements()).stream()
            .filter(e -> e instanceof Expression.Member m && m.name().equals("link"))
            .flatMap(e ->
                DivergenceRegistry.find(named(((Expression.Member) e).target()), scope, quiet)
                    .stream())
            .findFirst();
    Optional<PreferenceOptimum.Found> found = PreferenceOptimum.of(objective, link);
    if (found.isEmpty()) {
      return;
    }
    PreferenceOptimum.Found it = found.get();
    out.heading(2, "Optimum");
    Symbol y = Symbols.sequence("y");
    Notation best = new Notation.Called(Notation.symbol("π*", "\\pi^{*}"), List.of(y));
    Symbol margin = Symbols.name("m");
    Notation reward = new Notation.Called(Symbols.name("r"), List.of(y));
    Symbol proportional = Notation.symbol("∝", "\\propto");
    if (it.averaged()) {
      out.paragraph(
          "None in closed form: log-probabilities are averaged over tokens, and what the loss asks"
              + " of these averages need be met by no distribution.");
      return;
    }
    switch (it.shape()) {
      case NONE ->
          out.paragraph(
              "None known: the loss is no function of the difference between the two responses, so"
                  + " that it also depends on how probable both are.");
      case OTHER ->
          out.paragraph(
              "The loss is a function φ of the margin ",
              margin,
              " of the two responses. For a pair that is preferred with probability p it is least"
                  + " where p φ′(m) = (1 − p) φ′(−m), which has no closed form here.");
      case LOGISTIC, SQUARE -> {
        boolean logistic = it.shape() == PreferenceOptimum.Shape.LOGISTIC;
        out.paragraph(
            "A pair that is preferred with probability p adds p φ(m) + (1 − p) φ(−m), with the"
                + " margin m between the "
                + (link.isPresent() && !DivergenceExplainer.isLogarithm(link.get())
                    ? "links f′(π/π_ref)"
                    : it.reference().isPresent() ? "log-ratios" : "log-probabilities")
                + " of its responses, and is least at");
        out.equation(
            margin,
            Symbols.EQUALS,
            logistic
                ? Notation.quotient(
                    Symbols.log(
                        Notation.quotient(
                            Symbols.name("p"),
                            Notation.difference(Notation.number(1), Symbols.name("p")))),
                    it.scale())
                : Notation.product(
                    it.scale(),
                    Notation.difference(
                        Notation.product(Notation.number(2), Symbols.name("p")),
                        Notation.number(1))));
        Notation score =
            logistic ? reward : new Notation.Called(Notation.symbol("P", "P"), List.of(y));
        Notation strength = Notation.quotient(score, it.strength());
        out.paragraph(
            logistic
                ? "If p = σ(r(y⁺) − r(y⁻)) for a reward r (Bradley-Terry), and pairs of all"
                    + " responses are compared, the minimum over all policies is"
                : "Least squares over pairs of all responses give each its mean preference, P(y) ="
                    + " 𝔼[P(y ≻ y′)] over the other responses; the minimum over all policies is");
        Optional<Notation> reference =
            it.reference()
                .map(r ->
                    new Notation.Called(
                        actors.getOrDefault(r, Symbols.actor(r, false)), List.of(y)));
        if (link.isPresent() && !DivergenceExplainer.isLogarithm(link.get())) {
          out.equation(
              best,
              Symbols.EQUALS,
              Notation.product(
                  reference.orElse(Notation.number(1)),
                  new Notation.Called(
                      Notation.symbol("(f′)⁻¹", "(f')^{-1}"),
                      List.of(Notation.difference(strength, Symbols.name("nu"))))));
          DerivedDivergence derived = DivergenceCalculus.derive(link.get().f());
          if (derived.zeroInDomainOfDerivative()) {
            out.paragraph(
                "with ν so that it sums to 1 per prompt, if what (f′)⁻¹ is taken of is above f′(0)"
                    + " = ",
                DivergenceExplainer.limit(derived.range().atZero()),
                " for every response: links are never below f′(0), so that where rewards differ by"
                    + " more no policy has the margins above, and the minimum has no closed form.");
          } else {
            out.paragraph("with ν so that it sums to 1 per prompt.");
          }
        } else {
          Notation tilt = Symbols.exp(strength);
          out.equation(
              best, proportional, reference.map(r -> Notation.product(r, tilt)).orElse(tilt));
          if (it.reference().isEmpty()) {
            out.paragraph("as with a uniform reference.");
          }
        }
      }
    }
  }

  // How it is estimated, what it can say, what it costs.

  private void estimates(Optional<Declaration.EstimatorDeclaration> estimator) {
    List<String> said = Estimates.of(objective, estimator);
    if (!said.isEmpty()) {
      out.heading(2, "What is estimated");
      said.forEach(out::paragraph);
    }
  }

  private void formalism() {
    out.heading(2, "What it can say");
    if (objective.playsItself()) {
      out.paragraph(
          "It is in none of the seventeen classes of Subramani et al. (2024): they order policies,"
              + " and what is played here is a game. A policy can be preferred to a second one,"
              + " that to a third, and the third to the first; no order says so.");
      return;
    }
    if (objective.policy().isEmpty()) {
      out.paragraph(
          "It trains no policy, so the seventeen classes of Subramani et al. (2024), which are of"
              + " objectives for policies, do not speak of it.");
      return;
    }
    Formalism formalism = Formalism.of(objective);
    out.paragraph(
        "By its form it is in the class "
            + formalism.name()
            + ", "
            + formalism.form()
            + ", of the seventeen of Subramani et al. (2024): "
            + formalism.reason()
            + ".");
    out.paragraph("What that class cannot say: " + formalism.witness());
  }

  private void kernel() {
    Stages stages = Stages.of(Planner.plan(objective.program(), objective.builder()));
    out.heading(2, "Kernel");
    long passes = stages.stages().stream().map(Stages.Stage::pass).distinct().count();
    out.paragraph(
        "%d loops in %d passes; `align emit plan` shows them."
            .formatted(stages.stages().size(), passes));
    stages.streams().forEach(stream -> out.paragraph(PlanPrinter.summary(stream) + "."));
    PlanPrinter.sorts(stages).ifPresent(sorts -> out.paragraph(sorts + "."));
  }

  // What a batch holds.

  private void batch() {
    out.heading(2, "Batch");
    GraphNotation graph = GraphNotation.plain(actors, objective.program().loss());
    List<List<Inline>> rows = new ArrayList<>();
    for (Signature.Input input : objective.signature().inputs()) {
      rows.add(
          List.of(
              Inline.of("`" + input.name() + "`"),
              Inline.of(graph.input(input, 0)),
              Inline.of(input.level().word()),
              Inline.of(shape(input)),
              Inline.of(input.trained() ? "gradient" : "")));
    }
    if (objective.signature().grouped()) {
      rows.add(
          List.of(
              Inline.of("`group`"),
              Inline.of("which prompt"),
              Inline.of(Level.SEQUENCE.word()),
              Inline.of("N"),
              Inline.of("")));
    }
    out.table(List.of("tensor", "holds", "level", "shape", ""), rows);
  }

  private static String shape(Signature.Input input) {
    String shape =
        switch (input.level()) {
          case VOCAB -> "N × T × V";
          case TOKEN -> "N × T";
          case SEQUENCE, PAIR -> "N";
          case GROUP -> "G";
          case BATCH -> "1";
        };
    return input.members() > 0 ? shape + " × " + input.members() : shape;
  }

  private void parameters() {
    List<List<Inline>> rows = new ArrayList<>();
    for (Declaration.Parameter parameter : declaration.parameters()) {
      rows.add(
          List.of(
              Inline.of("`" + parameter.name() + "`"),
              Inline.of(Symbols.name(parameter.name())),
              Inline.of(parameter.type().map(t -> t.span().text()).orElse("Real")),
              Inline.of(value(parameter).map(v -> v.span().text()).orElse("no default")),
              Inline.of(
                  objective.fixed().containsKey(parameter.name()) ? "fixed when compiled" : "")));
    }
    if (!rows.isEmpty()) {
      out.heading(2, "Parameters");
      out.table(
          List.of("parameter", "here", "type", values.isEmpty() ? "default" : "value", ""), rows);
    }
  }
}
