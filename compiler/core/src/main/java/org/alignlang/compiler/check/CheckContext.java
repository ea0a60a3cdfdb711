package org.alignlang.compiler.check;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.diagnostic.Severity;
import org.alignlang.compiler.diagnostic.Suggestions;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.source.Span;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/** What the checking of one objective shares: its graph, its actors and inputs, its findings. */
final class CheckContext {
  private static final int STEP_LIMIT = 200_000;
  private static final int DEPTH_LIMIT = 80;

  /** The most values of an objective: some rules and the planner compare every two of them. */
  private static final int NODE_LIMIT = 30_000;

  /** So many names can be told all at once. */
  private static final int FEW = 8;

  /** How deeply values may be made of each other: some phases recurse over them. */
  private static final int HEIGHT_LIMIT = 2_500;

  /** An actor of the objective. */
  record Actor(String name, Statement.Role role, Optional<Expression> definition, Span span) {}

  /** A target distribution: its unnormalised log-density per sequence. */
  record TargetDensity(Node logDensity, Span span) {}

  /** An expectation that the objective uses; of a divergence, if that is what it is. */
  record ExpectationTerm(
      String name,
      Node leaf,
      Node value,
      Node score,
      Span span,
      Optional<DivergenceUse> divergence) {}

  /**
   * A divergence {@code D_f(pi || other)} as an expectation.
   *
   * @param divergence with the trained policy on the left
   * @param other the actor or target that it is compared with
   * @param target whether the other is a target density
   */
  record DivergenceUse(Divergence divergence, String other, boolean target) {}

  final GraphBuilder builder;
  final DiagnosticSink sink;
  final Map<String, Actor> actors = new LinkedHashMap<>();
  final Map<String, Signature.Input> inputs = new LinkedHashMap<>();
  final Map<String, TargetDensity> targets = new LinkedHashMap<>();
  final List<ExpectationTerm> expectations = new ArrayList<>();

  /** Actors whose logits are read instead of their log-probabilities. */
  final Set<String> logits;

  /** Actors whose vocabulary was asked for although their logits are not read yet. */
  final Set<String> logitsWanted = new LinkedHashSet<>();

  /**
   * Whether a parameter chooses between forms of the objective: what is accepted may then be needed
   * by another form than the one that is checked.
   */
  boolean severalForms;

  /** Where divergences are looked for by name, for explaining what a biased term descends. */
  Optional<Scope> divergenceScope = Optional.empty();

  /** Parameters whose values were needed while compiling. */
  final Map<String, Double> fixed = new LinkedHashMap<>();

  /** The values that parameters have if they are needed while compiling. */
  final Map<Node, Double> parameterValues = new LinkedHashMap<>();

  /** Links of divergences whose normaliser must cancel, each with its place. */
  final Map<Node, Span> links = new LinkedHashMap<>();

  /** Links that may keep their normaliser wherever they are used. */
  final Set<Node> acceptedLinks = new HashSet<>();

  /** The estimator that the objective uses. */
  Optional<Declaration.EstimatorDeclaration> estimator = Optional.empty();

  /** Names whose values were given up, which is reported: their uses are no findings. */
  final Set<String> abandoned = new HashSet<>();

  /** What the objective computes and does not use. */
  final List<Statement.Let> unusedLets = new ArrayList<>();

  /** Where values of {@code let} are written that are held as their logarithms. */
  final Set<Span> densities = new java.util.LinkedHashSet<>();

  /** Penalties that are named as divergences, and judged where they are. */
  final Set<Node> declaredPenalties = new HashSet<>();

  final Bounds bounds = new Bounds();

  /** Whether the objective is too large to be checked to its end. */
  boolean exhausted;

  /** Where the objective that is checked stands. */
  Optional<Span> home = Optional.empty();

  boolean paired;
  boolean grouped;
  boolean enumerated;
  List<String> sequences = List.of();

  private final Deque<Accept> accepted = new ArrayDeque<>();
  private final Deque<Use> active = new ArrayDeque<>();

  /** A definition that is being expanded, with the place that asks for it. */
  private record Use(Object definition, Span span, String name) {}

  private int steps;

  /** What was accepted of the findings that only the whole graph shows. */
  final List<AcceptedPart> acceptedParts = new ArrayList<>();

  /**
   * A part of the graph in which a finding is accepted.
   *
   * @param expression the expression with its `accept`
   * @param nodes what its value is made of
   */
  record AcceptedPart(Expression.Accepted expression, Set<Node> nodes) {

    /**
     * Whether this is about a finding: at a place inside or around, because `accept` stands behind
     * the last operand of a longer expression too, or at a node that its value is made of.
     */
    boolean covers(Diagnostic finding, Node node) {
      Span inner = finding.span();
      Span outer = expression.span();
      boolean nested = outer.contains(inner) || inner.contains(outer);
      return expression.slug().replace('_', '-').equals(finding.code().slug())
          && (nested || nodes.contains(node));
    }
  }

  private static final class Accept {
    final Expression.Accepted expression;
    boolean used;

    Accept(Expression.Accepted expression) {
      this.expression = expression;
    }
  }

  CheckContext(GraphBuilder builder, DiagnosticSink sink, Set<String> logits) {
    this.builder = builder;
    this.sink = sink;
    this.logits = Set.copyOf(logits);
  }

  /** The density of a target that is in scope. */
  Node logDensity(Meaning.TargetName target) {
    TargetDensity density = targets.get(target.name());
    if (density == null) {
      throw new IllegalStateException("target `" + target.name() + "` has a name and no density");
    }
    return density.logDensity();
  }

  /**
   * A finding inside a function of another file, at the place of this file that calls it: what is
   * wrong is how the function is used.
   */
  private Diagnostic atCaller(Diagnostic diagnostic) {
    if (home.isEmpty() || diagnostic.span().source().equals(home.get().source())) {
      return diagnostic;
    }
    return active.stream()
        .filter(use -> use.span().source().equals(home.get().source()))
        .findFirst()
        .map(use -> diagnostic.at(use.span(), "found here, inside `" + use.name() + "`"))
        .orElse(diagnostic);
  }

  /** Reports a finding; one that was accepted becomes a note. */
  void report(Diagnostic finding) {
    Diagnostic diagnostic = atCaller(finding);
    for (Accept accept : accepted) {
      String slug = accept.expression.slug().replace('_', '-');
      if (slug.equals(diagnostic.code().slug())) {
        accept.used = true;
        sink.report(accepted(diagnostic));
        return;
      }
    }
    sink.report(diagnostic);
  }

  /** Whether a finding would be accepted here, which is then reported as a note. */
  boolean accepts(Diagnostic diagnostic) {
    String slug = diagnostic.code().slug();
    if (accepted.stream().anyMatch(a -> a.expression.slug().replace('_', '-').equals(slug))) {
      report(diagnostic);
      return true;
    }
    return false;
  }

  /** A finding that was accepted: a note, and a biased term under a code of its own. */
  static Diagnostic accepted(Diagnostic diagnostic) {
    return diagnostic.code() == DiagnosticCode.BIASED_DIVERGENCE
        ? Diagnostic.of(
            DiagnosticCode.ACCEPTED_BIAS,
            diagnostic.span(),
            "accepted on purpose: " + diagnostic.message())
        : diagnostic.withSeverity(Severity.NOTE);
  }

  /** Reports an error and gives up the statement. */
  Abandoned fail(Diagnostic diagnostic) {
    sink.report(atCaller(diagnostic));
    return new Abandoned();
  }

  Abandoned fail(DiagnosticCode code, Span span, String message) {
    return fail(Diagnostic.of(code, span, message));
  }

  Abandoned fail(DiagnosticCode code, Span span, String message, String help) {
    return fail(Diagnostic.of(code, span, message).withHelp(help));
  }

  /** An unknown name, with what was probably meant, or what there is where that is little. */
  Abandoned unknown(Span span, String what, String name, Collection<String> known) {
    String all = "`" + String.join("`, `", new TreeSet<>(known)) + "`";
    if (name.isEmpty() && !known.isEmpty()) {
      return fail(
          DiagnosticCode.WRONG_ARGUMENTS,
          span,
          "this is given by name, as in `%s = %s`".formatted(known.iterator().next(), span.text()),
          "there is " + all);
    }
    Diagnostic diagnostic =
        Diagnostic.of(DiagnosticCode.UNKNOWN_NAME, span, "there is no " + what + " `" + name + "`");
    if (sink.isFull()) {
      // Of so many that no one reads them, none is compared with all other names.
      return fail(diagnostic);
    }
    return fail(
        LibraryImports.offer(diagnostic, name)
            .filter(_ -> span.text().equals(name))
            .orElseGet(() -> {
              Diagnostic meant = Suggestions.meant(diagnostic, name, known);
              return meant.help().isEmpty() && !known.isEmpty() && known.size() <= FEW
                  ? meant.withHelp("there is " + all)
                  : meant;
            }));
  }

  void enterAccept(Expression.Accepted expression) {
    if (DiagnosticCode.find(expression.slug()).isEmpty()) {
      sink.report(AcceptClause.of(expression).unknown());
    }
    accepted.push(new Accept(expression));
  }

  /**
   * @param values what the accepted expression is, if it is a value
   */
  void leaveAccept(List<Node> values) {
    Accept accept = accepted.pop();
    if (DiagnosticCode.find(accept.expression.slug())
        .filter(GraphRules.CODES::contains)
        .isPresent()) {
      acceptedParts.add(
          new AcceptedPart(accept.expression, Set.copyOf(ObjectiveProgram.reachable(values))));
      return;
    }
    if (!accept.used
        && !severalForms
        && DiagnosticCode.find(accept.expression.slug()).isPresent()) {
      sink.report(AcceptClause.of(accept.expression).unused());
    }
  }

  /** Counts work, so that no spec can keep the compiler busy for long. */
  void step(Span span) {
    if (++steps > STEP_LIMIT) {
      throw exhausted(span, "this objective is too large to expand");
    }
  }

  /** Refuses an objective that has grown too large or too deep. */
  void requireBounded(Span span) {
    if (builder.size() > NODE_LIMIT) {
      throw exhausted(span, "this objective is made of more than " + NODE_LIMIT + " values");
    }
    if (builder.height() > HEIGHT_LIMIT) {
      throw exhausted(
          span,
          "values of this objective are made of each other more than "
              + HEIGHT_LIMIT
              + " levels deep");
    }
  }

  /** Ends the check of an objective that is too large: what else there is to say is not found. */
  Abandoned exhausted(Span span, String message) {
    exhausted = true;
    return fail(DiagnosticCode.TOO_DEEP, span, message);
  }

  /** Enters a definition that must not be used inside itself. */
  void enter(Object definition, Span span, String name) {
    if (active.stream().anyMatch(use -> use.definition().equals(definition))) {
      throw fail(DiagnosticCode.RECURSION, span, "`" + name + "` uses itself");
    }
    if (active.size() > DEPTH_LIMIT) {
      throw fail(DiagnosticCode.TOO_DEEP, span, "definitions use each other too deeply");
    }
    active.push(new Use(definition, span, name));
  }

  void leave() {
    active.pop();
  }

  Actor policy(Span span) {
    return actors.values().stream()
        .filter(a -> a.role() == Statement.Role.POLICY)
        .findFirst()
        .orElseThrow(() ->
            fail(
                DiagnosticCode.MISSING_ACTOR,
                span,
                "this needs a trained policy",
                "declare one: `policy pi`"));
  }

  private Signature.Input input(Signature.Input wanted) {
    return inputs.computeIfAbsent(wanted.name(), _ -> wanted);
  }

  private String prefix(String sequence) {
    return paired ? sequence + "." : "";
  }

  private String actorPrefix(Actor actor) {
    return actor.role() == Statement.Role.POLICY ? "" : actor.name() + ".";
  }

  /** The log-probability of each taken token under an actor. */
  Node logProbability(Actor actor, String sequence) {
    if (logits.contains(actor.name())) {
      return builder.taken(logDistribution(actor, sequence));
    }
    return builder.input(
        input(
            new Signature.Input(
                prefix(sequence) + actorPrefix(actor) + "logp",
                Signature.Role.LOG_PROBABILITY,
                actor.name(),
                sequence,
                Level.TOKEN,
                0,
                actor.role() == Statement.Role.POLICY)),
        0);
  }

  /** The log of an actor's whole next-token distribution: logits less their log-sum-exp. */
  Node logDistribution(Actor actor, String sequence) {
    if (!logits.contains(actor.name())) {
      logitsWanted.add(actor.name());
    }
    Node logit =
        builder.input(
            input(
                new Signature.Input(
                    prefix(sequence) + actorPrefix(actor) + "logits",
                    Signature.Role.LOGITS,
                    actor.name(),
                    sequence,
                    Level.VOCAB,
                    0,
                    actor.role() == Statement.Role.POLICY)),
            0);
    tokens(sequence);
    return logSoftmax(logit);
  }

  /** The logarithms of the probabilities with the given logits. */
  Node logSoftmax(Node logit) {
    Node normalizer =
        builder.reduce(
            org.alignlang.compiler.ir.Operation.Reduction.LOG_SUM_EXP,
            logit,
            Domain.token(logit.domain().owner()));
    return builder.subtract(logit, normalizer);
  }

  private void tokens(String sequence) {
    input(
        new Signature.Input(
            prefix(sequence) + "tokens",
            Signature.Role.TOKENS,
            "",
            sequence,
            Level.TOKEN,
            0,
            false));
  }

  /** The discounts of occupancy measures, by the input that compares them. */
  final Map<String, Double> discounts = new TreeMap<>();

  /** A reward, feature, label or preference column. */
  Meaning.Value column(String contractName, String sequence, Level level, int members, Kind kind) {
    Signature.Input column =
        input(
            new Signature.Input(
                (level == Level.PAIR || level == Level.GROUP || level == Level.BATCH
                        ? ""
                        : prefix(sequence))
                    + contractName,
                Signature.Role.COLUMN,
                "",
                level.compareTo(Level.SEQUENCE) < 0 ? "" : sequence,
                level,
                members,
                false));
    if (members == 0) {
      return Meaning.Value.of(kind, builder.input(column, 0));
    }
    List<Node> nodes = new ArrayList<>();
    for (int m = 0; m < members; m++) {
      nodes.add(builder.input(column, m));
    }
    return new Meaning.Value(kind, nodes, true);
  }

  /**
   * What a trained block gives: a number at a level, with a gradient; or what it gave when the data
   * was sampled, without one.
   *
   * @param sampled the actor that sampled the data, for what the block gave then
   */
  Node learned(String name, String sequence, Level level, Optional<Actor> sampled) {
    boolean owned = level.compareTo(Level.SEQUENCE) >= 0;
    String actor = sampled.map(a -> a.name() + ".").orElse("");
    return builder.input(
        input(
            new Signature.Input(
                (owned ? prefix(sequence) : "") + actor + "learn." + name,
                Signature.Role.LEARNED,
                sampled.map(Actor::name).orElse(""),
                owned ? sequence : "",
                level,
                0,
                sampled.isEmpty())),
        0);
  }

  /** A number that is kept from step to step, as it is before the step. */
  Node state(Signature.State state) {
    return builder.input(
        input(
            new Signature.Input(
                state.input(), Signature.Role.COLUMN, "", "", Level.BATCH, 0, false)),
        0);
  }

  /** A metric name that is not taken yet. */
  String freshMetric(String wanted) {
    Set<String> taken = new HashSet<>();
    expectations.forEach(e -> taken.add(e.name()));
    String name = wanted;
    for (int i = 2; taken.contains(name); i++) {
      name = wanted + "_" + i;
    }
    return name;
  }
}
