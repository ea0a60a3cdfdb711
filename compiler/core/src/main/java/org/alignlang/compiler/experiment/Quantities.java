package org.alignlang.compiler.experiment;

import static org.alignlang.compiler.diagnostic.DiagnosticCode.BAD_QUANTITY;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.alignlang.compiler.ast.ExperimentStatement;
import org.alignlang.compiler.ast.ExperimentStatement.Claim;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.check.Divergence;
import org.alignlang.compiler.check.RowExpressions;
import org.alignlang.compiler.check.Scope;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.diagnostic.Suggestions;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.source.Span;
import org.alignlang.kernel.Signature;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentPlan.Condition;
import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;
import org.alignlang.runtime.experiment.Statistics;

/** Turns the expressions of {@code record}, {@code plot} and {@code expect} into quantities. */
final class Quantities {
  private static final Set<String> SERIES =
      new TreeSet<>(
          Set.of(
              "final",
              "first",
              "max",
              "min",
              "mean",
              "argmax",
              "least_rise",
              "largest_rise",
              "exact"));

  /** Measures of how two numbers per response agree, with the option of each. */
  private static final Map<String, String> AGREEMENTS =
      Map.of(
          "correlation",
          "",
          "spearman",
          "",
          "kendall",
          "",
          "overlap",
          "top",
          "calibration",
          "bins");

  /** Measures of how different responses are, with the options of each and what stands in. */
  private static final Map<String, Map<String, Integer>> DIVERSITIES =
      Map.of(
          "edit_distance", Map.of(),
          "similarity", Map.of("n", 1),
          "distinct", Map.of("n", 2, "draws", 64));

  private static final int DEFAULT_BINS = 10;

  /** What a fit gives besides its coefficients. */
  private static final Set<String> FIT_RESULTS = new TreeSet<>(Set.of("r_squared", "error"));

  private static final Map<String, Integer> FUNCTIONS =
      Map.of("sqrt", 1, "abs", 1, "log", 1, "exp", 1, "min", 2, "max", 2);

  /** Names of the task's base policy, where an objective gives them to nothing else. */
  private static final List<String> BASE = List.of("ref", "base");

  private final List<PointContext> points;
  private final Set<String> found;
  private final Set<String> arguments;
  private final Scope scope;
  private final Set<String> labels;
  private final DiagnosticSink sink;
  private final Set<String> recorded = new LinkedHashSet<>();
  private final Map<String, Quantity> definitions = new LinkedHashMap<>();
  private final Map<String, Fit> fits = new LinkedHashMap<>();

  /** What names stand for within the formula of a fit. */
  private Map<String, Quantity> locals = Map.of();

  private boolean recording;

  /** The points at which the claim at hand is judged, by their swept values; none outside one. */
  private Optional<Map<String, String>> selected = Optional.empty();

  /** What a statistic around the quantity at hand holds: {@code mean(x, over = b, D = KL)}. */
  private Map<String, String> held = Map.of();

  /** A fit, before one of its results is asked for. */
  private record Fit(Quantity of, Quantity formula, List<String> free, List<String> over) {}

  /**
   * An objective of a sweep point, with the scope of its module and the values of its parameters.
   */
  record Part(CheckedObjective objective, Scope scope, Map<String, Double> parameters) {}

  /**
   * What a sweep point trains: one objective, or several in turn.
   *
   * @param labels the swept values
   * @param noOptimum why there is no optimum in closed form; empty where there is one, or where
   *     that is no mistake
   */
  record PointContext(List<Part> parts, Map<String, String> labels, String noOptimum) {
    PointContext {
      parts = List.copyOf(parts);
      labels = Map.copyOf(labels);
    }

    /** The first objective that trains a policy, or else the first. */
    Part principal() {
      return parts.stream()
          .filter(part -> part.objective().policy().isPresent())
          .findFirst()
          .orElse(parts.getFirst());
    }

    CheckedObjective objective() {
      return principal().objective();
    }

    Map<String, Double> parameters() {
      Map<String, Double> all = new LinkedHashMap<>(principal().parameters());
      parts.forEach(part -> part.parameters().forEach(all::putIfAbsent));
      return all;
    }

    /**
     * The actors that the point's policies know: those of the principal, and the other policies.
     */
    Set<String> actors() {
      Set<String> names = new LinkedHashSet<>(objective().actors().keySet());
      parts.forEach(part -> names.add(policy(part.objective())));
      return names;
    }

    /** A row over what the principal declares, or else what another objective does. */
    Optional<RowExpressions.Row> row(Expression expression, DiagnosticSink sink) {
      List<Part> all = new ArrayList<>(List.of(principal()));
      all.addAll(parts);
      DiagnosticSink first = new DiagnosticSink();
      for (Part part : all) {
        DiagnosticSink quiet = new DiagnosticSink();
        Optional<RowExpressions.Row> row =
            new RowExpressions(part.objective(), part.scope(), quiet)
                .row(expression, part.parameters());
        if (row.isPresent()) {
          quiet.sorted().forEach(sink::report);
          return row;
        }
        if (first.sorted().isEmpty()) {
          quiet.sorted().forEach(first::report);
        }
      }
      first.sorted().forEach(sink::report);
      return Optional.empty();
    }
  }

  /** The quantities of trainings. */
  Quantities(List<PointContext> points, Scope scope, Set<String> labels, DiagnosticSink sink) {
    this(points, Set.of(), Set.of(), scope, labels, sink);
  }

  /**
   * The quantities of trainings, or of a study.
   *
   * @param found what the study gives
   * @param arguments those of the study that are numbers
   */
  Quantities(
      List<PointContext> points,
      Set<String> found,
      Set<String> arguments,
      Scope scope,
      Set<String> labels,
      DiagnosticSink sink) {
    this.points = points;
    this.found = found;
    this.arguments = arguments;
    this.scope = scope;
    this.labels = labels;
    this.sink = sink;
  }

  private ExperimentCompiler.Reported fail(Span span, String message, String help) {
    sink.report(Diagnostic.of(BAD_QUANTITY, span, message).withHelp(help));
    return new ExperimentCompiler.Reported();
  }

  Quantity recorded(ExperimentStatement.Recorded record) {
    boolean ofReward =
        !found.contains(record.name())
            && points.stream()
                .allMatch(point ->
                    point.parts().stream()
                            .anyMatch(p -> p.objective().rewardMetrics().contains(record.name()))
                        || !measured(point).contains(record.name()));
    if (recorded.contains(record.name())
        || (!ofReward || record.name().equals("loss") || record.name().equals("step"))
            && measured().contains(record.name())) {
      throw fail(
          record.nameSpan(),
          "`" + record.name() + "` is recorded already",
          "metrics of the objective are recorded by themselves; choose another name");
    }
    recording = true;
    Quantity quantity;
    try {
      quantity = quantity(record.value(), false);
    } finally {
      recording = false;
    }
    recorded.add(record.name());
    definitions.put(record.name(), quantity);
    return quantity;
  }

  ExperimentPlan.Plot plot(ExperimentStatement.Plot plot) {
    String by = plot.by().orElse("");
    if (!by.isEmpty() && !labels.contains(by)) {
      throw fail(
          plot.span(),
          "`" + by + "` is not swept",
          labels.isEmpty()
              ? "a sweep is a list: `train Dpo(beta = [0.1, 1])`"
              : "swept: " + labels);
    }
    // Numbers of points, such as `final(x)`, are drawn along the sweep.
    boolean sweep = reduces(plot.vertical()) || reduces(plot.horizontal());
    if (sweep && labels.isEmpty()) {
      throw fail(
          plot.span(),
          "this plot has one number per point of a sweep, and nothing is swept",
          "plot a series, or sweep something: `train Dpo(beta = [0.1, 1])`");
    }
    return new ExperimentPlan.Plot(
        quantity(plot.vertical(), sweep),
        quantity(plot.horizontal(), sweep),
        by,
        plot.title()
            .orElse(plot.vertical().span().text() + " against " + plot.horizontal().span().text()));
  }

  /** Whether an expression takes a number out of a series. */
  private static boolean reduces(Expression expression) {
    return switch (expression) {
      case Expression.Negated negated -> reduces(negated.operand());
      case Expression.Binary binary -> reduces(binary.left()) || reduces(binary.right());
      case Expression.Call call
          when call.function() instanceof Expression.NameReference name
              && call.arguments().stream().allMatch(a -> a.against().isEmpty()) -> {
        long plain = call.arguments().stream().filter(a -> a.name().isEmpty()).count();
        yield Statistics.shapes().containsKey(name.name())
                && !(FUNCTIONS.containsKey(name.name()) && plain > 1)
            || call.arguments().stream().anyMatch(a -> reduces(a.value()));
      }
      default -> false;
    };
  }

  /**
   * {@code fit law(y, formula, free = [a, b], d = x, over = beta)}: from here on {@code law.a} is a
   * number.
   */
  void fit(ExperimentStatement.Setting setting) {
    String example =
        "write for instance `fit line(final(y), a + b * x, free = [a, b], x = final(kl), over ="
            + " beta)`";
    if (!(setting.value() instanceof Expression.Call call)
        || !(call.function() instanceof Expression.NameReference name)) {
      throw fail(setting.span(), "a fit has a name, numbers and a formula", example);
    }
    if (fits.containsKey(name.name()) || recorded.contains(name.name())) {
      throw fail(
          name.span(), "`" + name.name() + "` is there already", "give the fit another name");
    }
    List<Expression> plain = new ArrayList<>();
    List<String> free = new ArrayList<>();
    List<String> over = List.of();
    Map<String, Expression> given = new LinkedHashMap<>();
    for (Expression.Argument argument : call.arguments()) {
      switch (argument.name().orElse("")) {
        case "" -> plain.add(argument.value());
        case "free" -> free.addAll(names(argument.value(), "free", "[a, b]"));
        case "over" -> over = over(argument);
        default -> given.put(argument.name().orElseThrow(), argument.value());
      }
    }
    if (plain.size() != 2 || free.isEmpty()) {
      throw fail(
          call.span(),
          "a fit takes what is fitted, a formula, and `free`, the names of its coefficients",
          example);
    }
    Map<String, Quantity> known = new LinkedHashMap<>();
    for (String coefficient : free) {
      if (isKnown(coefficient)
          || FIT_RESULTS.contains(coefficient)
          || given.containsKey(coefficient)
          || known.put(coefficient, new Quantity.Coefficient(coefficient)) != null) {
        throw fail(
            call.span(),
            "`" + coefficient + "` means something else here, so it is no free coefficient",
            "give the coefficient another name");
      }
    }
    boolean numbers = !over.isEmpty();
    given.forEach((local, value) -> {
      if (isKnown(local)) {
        throw fail(
            value.span(),
            "`" + local + "` means something else here",
            "give it another name in the fit");
      }
      known.put(local, quantity(value, numbers));
    });
    Quantity of = quantity(plain.get(0), numbers);
    locals = known;
    try {
      Quantity formula = quantity(plain.get(1), numbers);
      for (String coefficient : free) {
        if (!uses(formula, coefficient)) {
          throw fail(
              plain.get(1).span(),
              "the formula does not have `" + coefficient + "` in it",
              "leave it out of `free`");
        }
      }
      fits.put(name.name(), new Fit(of, formula, List.copyOf(free), over));
    } finally {
      locals = Map.of();
    }
  }

  private static boolean uses(Quantity formula, String coefficient) {
    return switch (formula) {
      case Quantity.Coefficient(String name) -> name.equals(coefficient);
      case Quantity.Apply apply ->
          apply.arguments().stream().anyMatch(argument -> uses(argument, coefficient));
      default -> false;
    };
  }

  private boolean isKnown(String name) {
    return recorded.contains(name)
        || measured().contains(name)
        || labels.contains(name)
        || arguments.contains(name)
        || points.stream().anyMatch(point -> point.parameters().containsKey(name));
  }

  /** {@code over = beta}, {@code over = [w1, w2]}. */
  private List<String> over(Expression.Argument argument) {
    List<String> over = names(argument.value(), "over", "beta");
    for (String name : over) {
      if (!labels.contains(name)) {
        throw fail(
            argument.span(),
            "`" + name + "` is not swept",
            labels.isEmpty() ? "this experiment sweeps nothing" : "swept: " + labels);
      }
    }
    return over;
  }

  private List<String> names(Expression value, String argument, String example) {
    List<Expression> elements =
        value instanceof Expression.ListLiteral list ? list.elements() : List.of(value);
    List<String> names = new ArrayList<>();
    for (Expression element : elements) {
      if (!(element instanceof Expression.NameReference name) || names.contains(name.name())) {
        throw fail(
            element.span(),
            "`" + argument + "` is a name or a list of names, each once",
            "write for instance `" + argument + " = " + example + "`");
      }
      names.add(name.name());
    }
    return names;
  }

  ExperimentPlan.Claim claim(ExperimentStatement.Expect expect) {
    Map<String, String> where = new LinkedHashMap<>();
    expect.where().ifPresent(w -> selection(w, where));
    selected = Optional.of(where);
    try {
      return claim(expect, where);
    } finally {
      selected = Optional.empty();
    }
  }

  private ExperimentPlan.Claim claim(ExperimentStatement.Expect expect, Map<String, String> where) {
    Condition condition =
        switch (expect.claim()) {
          case Claim.Holds holds -> condition(holds.condition());
          case Claim.Within within -> {
            boolean relative =
                within.tolerance() instanceof Expression.NumberLiteral number && number.percent();
            double tolerance =
                within.tolerance() instanceof Expression.NumberLiteral number
                    ? number.value()
                    : Double.NaN;
            if (!(tolerance >= 0)) {
              throw fail(
                  within.tolerance().span(),
                  "a tolerance is a number or a percentage",
                  "write `within 1% of x` or `within 0.01 of x`");
            }
            yield new Condition.Within(
                quantity(within.left(), true), tolerance, relative, quantity(within.right(), true));
          }
        };
    return new ExperimentPlan.Claim(
        oneLine(expect.claim().span()),
        condition,
        where,
        expect.message().orElse(""),
        expect.span().place());
  }

  private Condition condition(Expression expression) {
    if (expression instanceof Expression.Binary binary) {
      if (binary.operator() == Expression.Operator.AND) {
        return new Condition.Both(condition(binary.left()), condition(binary.right()));
      }
      if (binary.operator().comparison() && binary.operator() != Expression.Operator.NOT_EQUAL) {
        return new Condition.Compare(
            quantity(binary.left(), true),
            binary.operator().symbol(),
            quantity(binary.right(), true));
      }
    }
    if (expression instanceof Expression.Binary binary
        && binary.operator() == Expression.Operator.NOT_EQUAL) {
      throw fail(
          expression.span(),
          "two measured numbers are hardly ever equal, so `!=` would claim nothing",
          "say on which side and by how much: `a > b + 0.01`");
    }
    throw fail(
        expression.span(),
        "a claim compares two numbers",
        "write for instance `expect final(kl) < 1` or `expect final(kl) within 1% of exact(kl)`");
  }

  /** {@code beta == 0.05 and D == reverse_kl} as labels. */
  private void selection(Expression expression, Map<String, String> where) {
    if (expression instanceof Expression.Binary binary) {
      if (binary.operator() == Expression.Operator.AND) {
        selection(binary.left(), where);
        selection(binary.right(), where);
        return;
      }
      if (binary.operator() == Expression.Operator.EQUAL
          && binary.left() instanceof Expression.NameReference name) {
        select(name.name(), binary.right(), name.span(), where);
        return;
      }
    }
    throw fail(
        expression.span(),
        "`where` selects sweep points by their values",
        "write for instance `where beta == 0.05`");
  }

  private void select(String name, Expression value, Span span, Map<String, String> where) {
    if (!labels.contains(name)) {
      throw fail(
          span,
          "`" + name + "` is not swept",
          labels.isEmpty() ? "this experiment sweeps nothing" : "swept: " + labels);
    }
    where.put(name, ExperimentCompiler.label(value));
  }

  /** A text as one line, without the room that a line break in parentheses leaves. */
  private static String oneLine(Span span) {
    return span.text()
        .replaceAll("\\s+", " ")
        .replaceAll("([(\\[]) ", "$1")
        .replaceAll(" ([)\\]])", "$1");
  }

  /** Names that are recorded without being asked for. */
  private Set<String> measured() {
    Set<String> names = new TreeSet<>(found);
    names.add("step");
    if (!points.isEmpty()) {
      names.add("loss");
    }
    points.forEach(point -> names.addAll(measured(point)));
    return names;
  }

  private static Set<String> measured(PointContext point) {
    Set<String> names = new TreeSet<>();
    for (Part part : point.parts()) {
      Signature signature = part.objective().signature();
      List<String> own = new ArrayList<>(List.of("loss"));
      own.addAll(signature.metrics());
      signature.constraints().forEach(c -> own.add(c.multiplier()));
      for (String name : own) {
        if (!names.add(name)) {
          // Of a further objective, as the training records it.
          names.add(signature.objective() + "." + name);
        }
      }
    }
    return names;
  }

  /**
   * A quantity. Inside a claim, series are reduced by {@code final} and the like; elsewhere they
   * stand for their value at each recorded step.
   */
  private Quantity quantity(Expression expression, boolean claim) {
    return switch (expression) {
      case Expression.NumberLiteral number -> new Quantity.Constant(number.value());
      case Expression.Negated negated ->
          new Quantity.Apply("-", List.of(quantity(negated.operand(), claim)));
      case Expression.Binary binary -> {
        switch (binary.operator()) {
          case PLUS, MINUS, TIMES, DIVIDE, POWER -> {}
          default ->
              throw fail(binary.span(), "expected a number, found a comparison", "split the claim");
        }
        yield new Quantity.Apply(
            binary.operator().symbol(),
            List.of(quantity(binary.left(), claim), quantity(binary.right(), claim)));
      }
      case Expression.NameReference name -> name(name, claim);
      case Expression.Member member
          when member.target() instanceof Expression.NameReference owner
              && measured().contains(owner.name() + "." + member.name()) ->
          name(
              new Expression.NameReference(member.span(), owner.name() + "." + member.name()),
              claim);
      case Expression.Member member
          when member.target() instanceof Expression.NameReference owner
              && fits.containsKey(owner.name()) ->
          fitted(owner.name(), member, claim);
      case Expression.Index index
          when index.target() instanceof Expression.NameReference target
              && target.name().equals("E")
              && index.indices().size() == 1 ->
          inClaim(claim, index.span(), () -> expectation(index));
      case Expression.Call call -> call(call, claim);
      default ->
          throw fail(
              expression.span(),
              "this cannot be measured",
              "measure `E[reward]`, `KL(pi || ref)`, `entropy(pi)`, a metric, or arithmetic of"
                  + " them");
    };
  }

  /** What is measured of policies, during a training. */
  private Quantity inClaim(
      boolean claim, Span span, java.util.function.Supplier<Quantity> quantity) {
    if (points.isEmpty()) {
      throw fail(
          span,
          "`" + span.text() + "` is measured of a policy, and a study trains none",
          "it gives: " + String.join(", ", found));
    }
    if (claim) {
      throw fail(
          span,
          "a claim is about recorded numbers",
          "record it, `record x = " + span.text() + "`, and claim something of `final(x)`");
    }
    return quantity.get();
  }

  private Quantity fitted(String name, Expression.Member member, boolean claim) {
    Fit fit = fits.get(name);
    if (fit == null || !claim) {
      throw fail(
          member.span(),
          "`" + member.span().text() + "` is one number of a sweep or a training, no series",
          "use it in `expect`");
    }
    if (!fit.free().contains(member.name()) && !FIT_RESULTS.contains(member.name())) {
      throw fail(
          member.span(),
          "the fit `" + name + "` has no `" + member.name() + "`",
          "it has: " + String.join(", ", fit.free()) + ", " + String.join(", ", FIT_RESULTS));
    }
    return new Quantity.Fitted(
        name, member.name(), fit.of(), fit.formula(), fit.free(), fit.over());
  }

  private Quantity name(Expression.NameReference name, boolean claim) {
    Quantity local = locals.get(name.name());
    if (local != null) {
      return local;
    }
    if (recorded.contains(name.name()) || measured().contains(name.name())) {
      if (claim) {
        throw fail(
            name.span(),
            "`" + name.name() + "` is a series",
            "say which of its values: `final("
                + name.name()
                + ")`, `max("
                + name.name()
                + ")`, ...");
      }
      return new Quantity.Named(name.name());
    }
    boolean parameter =
        arguments.contains(name.name())
            || points.stream().anyMatch(p -> p.parameters().containsKey(name.name()));
    if (labels.contains(name.name()) || parameter) {
      return new Quantity.Label(name.name());
    }
    Set<String> known = new TreeSet<>(measured());
    known.addAll(recorded);
    known.addAll(labels);
    known.addAll(arguments);
    sink.report(
        Suggestions.meant(
            Diagnostic.of(
                    BAD_QUANTITY, name.span(), "nothing called `" + name.name() + "` is recorded")
                .withHelp("recorded: " + String.join(", ", known)),
            name.name(),
            known));
    throw new ExperimentCompiler.Reported();
  }

  private Quantity call(Expression.Call call, boolean claim) {
    if (!call.arguments().isEmpty() && call.arguments().get(0).against().isPresent()) {
      return inClaim(claim, call.span(), () -> divergence(call));
    }
    if (!(call.function() instanceof Expression.NameReference function)) {
      throw fail(call.span(), "this cannot be measured", "name a function");
    }
    String name = function.name();
    if (name.equals("entropy") && call.arguments().size() == 1) {
      return inClaim(
          claim, call.span(), () -> new Quantity.Entropy(actor(call.arguments().get(0).value())));
    }
    if (name.equals("exploitability") && call.arguments().size() == 1) {
      return inClaim(
          claim,
          call.span(),
          () -> new Quantity.Exploitability(actor(call.arguments().get(0).value())));
    }
    long plain = call.arguments().stream().filter(a -> a.name().isEmpty()).count();
    if ((name.equals("exact") || name.equals("best_of")) && points.isEmpty()) {
      throw fail(
          call.span(),
          "`" + name + "` is about a policy, and a study trains none",
          "the study gives: " + String.join(", ", found));
    }
    if ((name.equals("exact") || name.equals("best_of")) && recording) {
      throw fail(
          call.span(),
          "`" + name + "` does not change over training, so there is nothing to record",
          "use it in `expect` or `plot`");
    }
    if (name.equals("best_of")) {
      return bestOf(call);
    }
    if (recording && AGREEMENTS.containsKey(name) && plain == 2) {
      return inClaim(claim, call.span(), () -> agreement(name, call));
    }
    if (DIVERSITIES.containsKey(name) && plain == 1) {
      return inClaim(claim, call.span(), () -> diversity(name, call));
    }
    if (name.equals("expected")) {
      return inClaim(claim, call.span(), () -> expected(call));
    }
    boolean over = call.arguments().stream().anyMatch(a -> a.name().orElse("").equals("over"));
    Statistics.Shape shape = Statistics.shapes().get(name);
    if (claim && shape != null && (over || shape.least() > 1)) {
      return statistic(name, shape, call);
    }
    if ((claim || name.equals("exact")) && SERIES.contains(name) && plain == 1) {
      return series(name, call);
    }
    Integer arity = FUNCTIONS.get(name);
    if (arity != null && call.arguments().size() == arity && plain == arity) {
      List<Quantity> arguments = new ArrayList<>();
      call.arguments().forEach(a -> arguments.add(quantity(a.value(), claim)));
      return new Quantity.Apply(name, arguments);
    }
    throw fail(
        call.span(),
        "`" + name + "` cannot be used here",
        claim
            ? "functions of series: "
                + String.join(", ", Statistics.shapes().keySet())
                + "; also exact, best_of, "
                + String.join(", ", new TreeSet<>(FUNCTIONS.keySet()))
            : "functions: "
                + String.join(", ", new TreeSet<>(FUNCTIONS.keySet()))
                + (recording
                    ? ", expected; of two numbers per response: "
                        + String.join(", ", new TreeSet<>(AGREEMENTS.keySet()))
                        + "; of responses: "
                        + String.join(", ", new TreeSet<>(DIVERSITIES.keySet()))
                    : ""));
  }

  private Quantity series(String function, Expression.Call call) {
    Map<String, String> at = new LinkedHashMap<>();
    Optional<Expression> of = Optional.empty();
    for (Expression.Argument argument : call.arguments()) {
      if (argument.name().isPresent()) {
        select(argument.name().get(), argument.value(), argument.span(), at);
      } else {
        of = Optional.of(argument.value());
      }
    }
    Quantity inner = quantity(of.orElseThrow(), false);
    if (!function.equals("exact")) {
      return new Quantity.Series(function, inner, at);
    }
    Optional<String> missing = selected.flatMap(where -> withoutOptimum(where, at));
    if (missing.isPresent()) {
      throw fail(
          call.span(),
          "there is no optimum in closed form: " + missing.get(),
          "`exact` is for expected rewards less one divergence `D(pi || ref)` times a factor above"
              + " 0, under bounds on them, and for the fit to a target; a claim can also compare"
              + " with another point of a sweep, or with `best_of`");
    }
    return new Quantity.Exact(resolve(inner), at);
  }

  /**
   * Why one of the points that a claim asks about has no optimum in closed form, if one has not.
   */
  private Optional<String> withoutOptimum(Map<String, String> where, Map<String, String> at) {
    Set<Map<String, String>> asked = new LinkedHashSet<>();
    for (PointContext point : points) {
      if (point.labels().entrySet().containsAll(where.entrySet())) {
        Map<String, String> labels = new LinkedHashMap<>(point.labels());
        labels.putAll(held);
        labels.putAll(at);
        asked.add(labels);
      }
    }
    return points.stream()
        .filter(point -> !point.noOptimum().isEmpty() && asked.contains(point.labels()))
        .map(PointContext::noOptimum)
        .findFirst();
  }

  /** {@code slope(y, x)}, {@code hypervolume(final(a), final(b), reference = [0, 0], over = w)}. */
  private Quantity statistic(String function, Statistics.Shape shape, Expression.Call call) {
    Map<String, String> at = new LinkedHashMap<>();
    Map<String, List<Double>> options = new LinkedHashMap<>();
    List<Expression> lists = new ArrayList<>();
    List<String> over = List.of();
    for (Expression.Argument argument : call.arguments()) {
      String name = argument.name().orElse("");
      if (name.isEmpty()) {
        lists.add(argument.value());
      } else if (name.equals("over")) {
        over = over(argument);
      } else if (shape.options().containsKey(name)) {
        options.put(name, numbers(argument.value()));
      } else {
        select(name, argument.value(), argument.span(), at);
      }
    }
    if (lists.size() < shape.least() || lists.size() > shape.most()) {
      throw fail(
          call.span(),
          "`%s` is of %s, not of %d"
              .formatted(
                  function,
                  shape.least() == shape.most()
                      ? (shape.least() == 1 ? "one series" : shape.least() + " series")
                      : shape.least() + " or " + shape.most() + " series",
                  lists.size()),
          "write for instance `%s(%s, over = beta)`"
              .formatted(
                  function,
                  String.join(
                      ", ",
                      List.of("final(x)", "final(y)", "final(z)").subList(0, shape.least()))));
    }
    for (String name : over) {
      if (at.containsKey(name)) {
        throw fail(
            call.span(), "`" + name + "` is both held and gone over", "leave one of them out");
      }
    }
    shape
        .options()
        .forEach((name, otherwise) -> {
          List<Double> value = options.get(name);
          int wanted = name.equals("reference") ? lists.size() : 1;
          boolean counts = name.equals("top");
          if (value == null
              || value.size() != wanted
              || counts
                  && !(value.getFirst() >= 1 && value.getFirst() == Math.rint(value.getFirst()))) {
            throw fail(
                call.span(),
                counts
                    ? "`" + function + "` says of how many: `top` is a whole number of at least 1"
                    : "`%s` needs `%s`, a list of %d numbers".formatted(function, name, wanted),
                counts ? "write `top = 10`" : "write for instance `reference = [0, 0]`");
          }
        });
    boolean numbers = !over.isEmpty();
    Map<String, String> before = held;
    held = new LinkedHashMap<>(before);
    held.putAll(at);
    try {
      return new Quantity.Statistic(
          function,
          lists.stream().map(list -> quantity(list, numbers)).toList(),
          options,
          over,
          at);
    } finally {
      held = before;
    }
  }

  private List<Double> numbers(Expression value) {
    List<Expression> elements =
        value instanceof Expression.ListLiteral list ? list.elements() : List.of(value);
    return elements.stream()
        .map(element ->
            switch (element) {
              case Expression.NumberLiteral number -> number.value();
              case Expression.Negated(Span _, Expression.NumberLiteral number) -> -number.value();
              default -> throw fail(element.span(), "expected a number", "write it out");
            })
        .toList();
  }

  /** {@code spearman(r, task.gold, under = ref)}. */
  private Quantity agreement(String measure, Expression.Call call) {
    String wanted = AGREEMENTS.getOrDefault(measure, "");
    String actor = policy(points.get(0).objective());
    int option = measure.equals("calibration") ? DEFAULT_BINS : 0;
    List<Expression> plain = new ArrayList<>();
    for (Expression.Argument argument : call.arguments()) {
      String name = argument.name().orElse("");
      if (name.isEmpty()) {
        plain.add(argument.value());
      } else if (name.equals("under")) {
        actor = actor(argument.value());
      } else if (name.equals(wanted)) {
        option = count(argument);
      } else {
        throw fail(
            argument.span(),
            "`" + measure + "` has no argument `" + name + "`",
            "it takes two numbers per response, `under`"
                + (wanted.isEmpty() ? "" : " and `" + wanted + "`"));
      }
    }
    if (measure.equals("overlap") && option == 0) {
      throw fail(call.span(), "`overlap` says of how many", "write `top = 10`");
    }
    return new Quantity.Agreement(
        measure,
        actor,
        new InterpretedRow(row(plain.get(0)), new double[0], 0),
        new InterpretedRow(row(plain.get(1)), new double[0], 0),
        option,
        oneLine(call.span()));
  }

  /** {@code expected(task.gold, under = mu)}: `E[x]` under another actor. */
  private Quantity expected(Expression.Call call) {
    String takes =
        "it takes a number per response and an actor: `expected(task.score, under = ref)`";
    Optional<String> actor = Optional.empty();
    Optional<Expression> of = Optional.empty();
    for (Expression.Argument argument : call.arguments()) {
      if (argument.name().isEmpty() && of.isEmpty()) {
        of = Optional.of(argument.value());
      } else if (argument.name().orElse("").equals("under") && actor.isEmpty()) {
        actor = Optional.of(actor(argument.value()));
      } else {
        throw fail(
            argument.span(),
            argument.name().isPresent() && !argument.name().get().equals("under")
                ? "`expected` has no argument `" + argument.name().get() + "`"
                : "`expected` is given this twice",
            takes);
      }
    }
    if (of.isEmpty()) {
      throw fail(call.span(), "`expected` of what?", takes);
    }
    return new Quantity.Expectation(
        actor.orElseGet(() -> policy(points.get(0).objective())),
        oneLine(call.span()),
        new InterpretedRow(row(of.get()), new double[0], 0));
  }

  /** {@code edit_distance(pi)}, {@code distinct(pi, n = 2, draws = 64)}. */
  private Quantity diversity(String measure, Expression.Call call) {
    Map<String, Integer> options = new LinkedHashMap<>(DIVERSITIES.getOrDefault(measure, Map.of()));
    String actor = "";
    for (Expression.Argument argument : call.arguments()) {
      String name = argument.name().orElse("");
      if (name.isEmpty()) {
        actor = actor(argument.value());
      } else if (options.containsKey(name)) {
        options.put(name, count(argument));
      } else {
        throw fail(
            argument.span(),
            "`" + measure + "` has no argument `" + name + "`",
            "it takes an actor"
                + (options.isEmpty() ? "" : ", " + String.join(", ", options.keySet())));
      }
    }
    return new Quantity.Diversity(
        measure, actor, options.getOrDefault("n", 0), options.getOrDefault("draws", 0));
  }

  private int count(Expression.Argument argument) {
    if (argument.value() instanceof Expression.NumberLiteral number
        && number.value() >= 1
        && number.value() <= 1_000_000
        && number.value() == Math.rint(number.value())) {
      return (int) number.value();
    }
    throw fail(
        argument.span(),
        "`" + argument.name().orElseThrow() + "` is a whole number of at least 1",
        "write for instance `" + argument.name().orElseThrow() + " = 4`");
  }

  /** {@code best_of(x, n = 16, by = task.proxy)}. */
  private Quantity bestOf(Expression.Call call) {
    Map<String, String> at = new LinkedHashMap<>();
    Optional<Expression> of = Optional.empty();
    Optional<Quantity> count = Optional.empty();
    Optional<Expression> by = Optional.empty();
    for (Expression.Argument argument : call.arguments()) {
      switch (argument.name().orElse("")) {
        case "" -> of = Optional.of(argument.value());
        case "n" -> count = Optional.of(quantity(argument.value(), true));
        case "by" -> by = Optional.of(argument.value());
        default -> select(argument.name().get(), argument.value(), argument.span(), at);
      }
    }
    boolean counted =
        count.map(n -> n instanceof Quantity.Constant || n instanceof Quantity.Label).orElse(false);
    if (of.isEmpty() || by.isEmpty() || !counted) {
      throw fail(
          call.span(),
          "`best_of` takes what to measure, how many responses are drawn, and what the best is"
              + " chosen by",
          "write for instance `best_of(gold, n = 16, by = task.proxy)`");
    }
    PointContext point = points.get(0);
    RowExpressions.Row row =
        point.row(by.get(), sink).orElseThrow(ExperimentCompiler.Reported::new);
    String reference =
        point.objective().actors().entrySet().stream()
            .filter(e -> e.getValue().equals("reference"))
            .map(Map.Entry::getKey)
            .findFirst()
            .orElse("base");
    return new Quantity.BestOf(
        resolve(quantity(of.get(), false)),
        reference,
        count.orElseThrow(),
        new InterpretedRow(row, new double[0], 0),
        at);
  }

  /** A quantity with recorded names replaced by what they measure, for the closed form. */
  private Quantity resolve(Quantity quantity) {
    return switch (quantity) {
      case Quantity.Named named -> {
        Quantity definition = definitions.get(named.name());
        if (definition != null) {
          yield definition;
        }
        yield metric(named);
      }
      case Quantity.Apply apply ->
          new Quantity.Apply(
              apply.function(), apply.arguments().stream().map(this::resolve).toList());
      case Quantity.Constant _,
          Quantity.Label _,
          Quantity.Expectation _,
          Quantity.Divergence _,
          Quantity.OccupancyDivergence _,
          Quantity.Entropy _,
          Quantity.Exploitability _,
          Quantity.Agreement _,
          Quantity.Diversity _,
          Quantity.Series _,
          Quantity.Statistic _,
          Quantity.Fitted _,
          Quantity.Coefficient _,
          Quantity.Exact _,
          Quantity.BestOf _ ->
          quantity;
    };
  }

  /** A metric of the objective that is an expectation, as that expectation. */
  private Quantity metric(Quantity.Named named) {
    CheckedObjective objective = points.get(0).objective();
    for (CheckedObjective.Term term : objective.expectations()) {
      if (!term.name().equals(named.name())) {
        continue;
      }
      if (term.divergence().isPresent()) {
        Divergence d = term.divergence().get();
        return new Quantity.Divergence(
            d.name(), d.integrand()::applyAsDouble, policy(objective), term.other());
      }
      return new Quantity.Expectation(
          policy(objective),
          term.name(),
          new InterpretedRow(term.content(), objective, points.get(0).parameters()));
    }
    return named;
  }

  private static String policy(CheckedObjective objective) {
    return objective.policy().orElse("pi");
  }

  private Quantity expectation(Expression.Index index) {
    Expression inner = index.indices().get(0);
    return new Quantity.Expectation(
        policy(points.get(0).objective()),
        "E[" + inner.span().text() + "]",
        new InterpretedRow(row(inner), new double[0], 0));
  }

  /** A number per response, the same at all points of the sweep. */
  private RowExpressions.Row row(Expression inner) {
    RowExpressions.Row row =
        points.get(0).row(inner, sink).orElseThrow(ExperimentCompiler.Reported::new);
    for (PointContext other : points) {
      requireSame(inner, row, other);
    }
    for (Signature.Input input : row.inputs()) {
      if (input.role() != Signature.Role.COLUMN && input.role() != Signature.Role.LOG_PROBABILITY) {
        throw fail(
            inner.span(),
            "an expectation in an experiment is of rewards and scores",
            "a divergence is measured by `KL(pi || ref)`");
      }
    }
    return row;
  }

  /** Refuses what would be measured in one way and mean another at a point of the sweep. */
  private void requireSame(Expression inner, RowExpressions.Row row, PointContext other) {
    DiagnosticSink findings = new DiagnosticSink();
    boolean same =
        other
            .row(inner, findings)
            .map(found -> sameNode(row.node(), found.node(), new HashMap<>()))
            .orElse(true);
    if (!same) {
      throw fail(
          inner.span(),
          "`" + oneLine(inner.span()) + "` means different things at the points of this sweep",
          "record scores of the task, or rewards that do not depend on what is swept");
    }
  }

  private static boolean sameNode(Node a, Node b, Map<Node, Node> known) {
    if (known.get(a) == b) {
      return true;
    }
    if (!a.operation().equals(b.operation()) || a.operands().size() != b.operands().size()) {
      return false;
    }
    for (int i = 0; i < a.operands().size(); i++) {
      if (!sameNode(a.operand(i), b.operand(i), known)) {
        return false;
      }
    }
    known.put(a, b);
    return true;
  }

  private Quantity divergence(Expression.Call call) {
    Expression.Argument argument = call.arguments().get(0);
    Optional<Expression> left = occupied(argument.value());
    Optional<Expression> right = occupied(argument.against().orElseThrow());
    Divergence d =
        new RowExpressions(points.get(0).objective(), scope, sink)
            .divergence(call.function())
            .orElseThrow(ExperimentCompiler.Reported::new);
    if (left.isPresent() && right.isPresent()) {
      return new Quantity.OccupancyDivergence(
          d.name(),
          d.integrand()::applyAsDouble,
          actor(left.get()),
          actor(right.get()),
          discount(call));
    }
    if (call.arguments().size() > 1) {
      throw fail(
          call.arguments().get(1).span(),
          "a divergence is measured as it is, and takes no options here",
          "write `" + call.function().span().text() + "(" + argument.span().text() + ")`");
    }
    return new Quantity.Divergence(
        d.name(),
        d.integrand()::applyAsDouble,
        actor(argument.value()),
        actor(argument.against().orElseThrow()));
  }

  /** The actor of {@code occupancy(pi)}. */
  private static Optional<Expression> occupied(Expression expression) {
    return expression instanceof Expression.Call call
            && call.function() instanceof Expression.NameReference name
            && name.name().equals("occupancy")
            && call.arguments().size() == 1
        ? Optional.of(call.arguments().getFirst().value())
        : Optional.empty();
  }

  private double discount(Expression.Call call) {
    double discount = 1;
    for (Expression.Argument argument : call.arguments().subList(1, call.arguments().size())) {
      if (call.arguments().size() > 2
          || !argument.name().orElse("").equals("discount")
          || !(argument.value() instanceof Expression.NumberLiteral number)
          || !(number.value() > 0 && number.value() <= 1)) {
        throw fail(
            argument.span(),
            "a divergence between occupancy measures takes a discount above 0 and at most 1, as a"
                + " number",
            "write for instance `discount = 0.97`");
      }
      discount = number.value();
    }
    return discount;
  }

  /** An actor of every objective, or the base policy, which is there whether declared or not. */
  private String actor(Expression expression) {
    Set<String> known = new LinkedHashSet<>(points.get(0).actors());
    known.addAll(BASE);
    for (PointContext point : points) {
      Set<String> own = point.actors();
      known.removeIf(name -> !own.contains(name) && !BASE.contains(name));
    }
    if (expression instanceof Expression.NameReference name && known.contains(name.name())) {
      return name.name();
    }
    throw fail(
        expression.span(),
        "`" + expression.span().text() + "` is not an actor of the objective",
        "actors: " + String.join(", ", known));
  }
}
