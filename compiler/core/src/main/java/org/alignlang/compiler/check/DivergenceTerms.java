package org.alignlang.compiler.check;

import static org.alignlang.compiler.diagnostic.DiagnosticCode.BAD_DIVERGENCE;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.BIASED_DIVERGENCE;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.MISSING_ACTOR;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.NORMALIZER_STAYS;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.NOT_CONVEX;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.NOT_ZERO_AT_ONE;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.REWARD_GRADIENT;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.UNREDUCED;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.WRONG_ARGUMENTS;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.WRONG_THING;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Operation.Reduction;
import org.alignlang.compiler.source.Span;
import org.alignlang.compiler.symbolic.Convexity;
import org.alignlang.compiler.symbolic.GradientWeight.Descent;
import org.alignlang.compiler.symbolic.GradientWeight.Estimator;
import org.alignlang.compiler.symbolic.GradientWeight.Placement;
import org.alignlang.compiler.symbolic.Sum;
import org.alignlang.compiler.symbolic.SymbolicException;
import org.alignlang.kernel.Level;

/**
 * Divergences and expectations: which estimator stands where, what its expected gradient is, and
 * the term that comes of it.
 */
final class DivergenceTerms {
  /** A name that is no function's. */
  private static final Pattern NAMED =
      Pattern.compile("(?<![\\p{L}\\p{Nd}_.'])[\\p{L}_][\\p{L}\\p{Nd}_']*+(?!\\s*[(\\[])");

  static final Set<String> MEMBERS =
      new TreeSet<>(Set.of("link", "f", "derivative", "k1", "k2", "k3"));

  private final CheckContext context;
  private final ExpressionChecker checker;
  private final GraphBuilder b;

  DivergenceTerms(CheckContext context, ExpressionChecker checker) {
    this.context = context;
    this.checker = checker;
    this.b = context.builder;
  }

  // Declarations.

  /** A declared divergence with numbers for its parameters. */
  Divergence instance(
      Meaning.DivergenceFamily family,
      List<Expression.Argument> arguments,
      Span span,
      Scope scope) {
    var declaration = family.declaration();
    Map<String, Meaning> bound =
        checker.bind(
            declaration.name(), declaration.parameters(), arguments, span, scope, family.scope());
    Map<String, Double> values = new LinkedHashMap<>();
    bound.forEach((name, meaning) -> values.put(name, checker.fixed(meaning, span)));
    String name =
        values.isEmpty()
            ? declaration.name()
            : declaration.name()
                + values.entrySet().stream()
                    .map(e -> e.getKey() + " = " + e.getValue())
                    .toList()
                    .toString()
                    .replace('[', '(')
                    .replace(']', ')');
    try {
      Sum f = DivergenceFunctions.convert(context, declaration, values);
      Divergence divergence = new Divergence(name, f);
      // Derivatives can leave the numbers where f itself does not.
      verify(divergence, declaration.body().span());
      return divergence;
    } catch (SymbolicException e) {
      throw context.fail(BAD_DIVERGENCE, declaration.body().span(), sentence(e.getMessage()));
    }
  }

  private static String sentence(@org.jspecify.annotations.Nullable String message) {
    String text = message == null ? "this cannot be derived" : message;
    return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
  }

  private void verify(Divergence divergence, Span span) {
    double atOne = divergence.f().evaluate(1);
    if (!Double.isFinite(atOne)) {
      throw context.fail(
          BAD_DIVERGENCE,
          span,
          "`" + divergence.name() + "` is not defined at u = 1, between equal distributions",
          "f must have a value for every ratio u > 0");
    }
    if (Math.abs(atOne) >= 1e-9) {
      throw context.fail(
          NOT_ZERO_AT_ONE,
          span,
          "`"
              + divergence.name()
              + "` has f(1) = "
              + atOne
              + ", so it would not be zero between equal distributions",
          "subtract the constant: `... - " + atOne + "`");
    }
    switch (Convexity.of(divergence.f())) {
      case Convexity.Violated(double u, double value) -> {
        if (Double.isNaN(value)) {
          throw context.fail(
              BAD_DIVERGENCE,
              span,
              "`" + divergence.name() + "` is not defined at u = " + round(u),
              "f must have a value for every ratio u > 0");
        }
        throw context.fail(
            NOT_CONVEX,
            span,
            "`"
                + divergence.name()
                + "` is not convex: f''("
                + round(u)
                + ") = "
                + round(value)
                + " is negative",
            "a divergence needs a convex f; otherwise it can be negative");
      }
      case Convexity.Proved _, Convexity.Checked _ -> {}
    }
  }

  private static String plain(double value) {
    return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
  }

  private static String round(double value) {
    return String.format(java.util.Locale.ROOT, "%.4g", value);
  }

  // Functions of a ratio.

  /** {@code D.link(ratio)} and the other functions of a ratio. */
  Meaning member(Meaning.DivergenceMember member, Expression.Call call, Scope scope) {
    if (call.arguments().size() != 1) {
      throw context.fail(
          WRONG_ARGUMENTS,
          call.span(),
          "`." + member.member() + "` takes a ratio, such as `pi(y) / ref(y)`");
    }
    Expression argument = call.arguments().get(0).value();
    Meaning.Value ratio = checker.value(checker.check(argument, scope), argument.span());
    if (ratio.kind() != Kind.PROB) {
      throw context.fail(
          WRONG_ARGUMENTS,
          argument.span(),
          "`." + member.member() + "` takes a ratio of probabilities, not a number",
          "write the ratio itself, `pi(y) / ref(y)`, not its logarithm");
    }
    Divergence d = member.divergence();
    Sum function =
        switch (member.member()) {
          case "link" -> d.link();
          case "f" -> d.f();
          case "derivative" -> d.derivative();
          case "k1" -> estimator(d, Estimator.K1, ratio, call);
          case "k2" -> estimator(d, Estimator.K2, ratio, call);
          case "k3" -> estimator(d, Estimator.K3, ratio, call);
          default -> throw new IllegalStateException(member.member());
        };
    Meaning.Value value = checker.map(ratio, x -> Divergence.lower(b, function, x), Kind.REAL);
    boolean link = member.member().equals("link") || member.member().equals("derivative");
    // The normaliser of the KL is a factor of the policy; that of any other is a shift of the link.
    if (link && !isLogarithm(d.link())) {
      if (context.accepts(normalizerStays("`" + d.name() + "`", call.span()))) {
        context.acceptedLinks.addAll(value.nodes());
      } else {
        value.nodes().forEach(node -> context.links.put(node, call.span()));
      }
    }
    return value;
  }

  private static boolean isLogarithm(Sum link) {
    Sum u = Sum.variable();
    double scale = link.derivative().evaluate(1);
    return scale != 0 && link.minus(u.log().times(scale)).isConstant();
  }

  static Diagnostic normalizerStays(String divergence, Span span) {
    return Diagnostic.of(
            NORMALIZER_STAYS,
            span,
            "the optimum fixes the link of "
                + divergence
                + " only up to a constant per prompt, and in this loss that constant does not"
                + " cancel")
        .withHelp(
            "write the loss as a function of `link(chosen) - link(rejected)`, or use the"
                + " log-ratio, `reverse_kl.link`");
  }

  private Sum estimator(
      Divergence d, Estimator estimator, Meaning.Value ratio, Expression.Call call) {
    if (ratio.nodes().stream().anyMatch(Node::active)) {
      judge(d, estimator, Placement.LOSS, call, new Sides(d.name(), ""));
    }
    return d.estimator(estimator);
  }

  /**
   * What a divergence is between, for messages.
   *
   * @param declared the divergence as written, {@code forward_kl(ref || pi)}
   * @param oriented the sides with the trained policy on the left, {@code (pi || ref)}
   */
  private record Sides(String declared, String oriented) {}

  private Map<String, Divergence> named(Span span) {
    return context.divergenceScope.map(s -> DivergenceRegistry.named(s, span)).orElse(Map.of());
  }

  /** Reports a combination whose expected gradient is not that of the divergence. */
  private void judge(
      Divergence d, Estimator estimator, Placement placement, Expression.Call call, Sides sides) {
    Span span = call.span();
    String where =
        switch (placement) {
          case LOSS -> "in the loss";
          case LOSS_TIMES_RATIO -> "in the loss, times the ratio,";
          case REWARD -> "in the reward";
        };
    String k = estimator.name().toLowerCase(java.util.Locale.ROOT);
    String message =
        switch (d.descends(d.weight(estimator, placement), named(span))) {
          case Descent.Matches _ -> "";
          case Descent.Zero _ ->
              "`"
                  + k
                  + "` "
                  + where
                  + " has a gradient of zero in expectation: it regularises nothing";
          case Descent.MatchesOther(String name, double scale) ->
              "`"
                  + k
                  + "` "
                  + where
                  + " descends "
                  + (scale == 1 ? "" : plain(scale) + " times ")
                  + name
                  + sides.oriented()
                  + ", not "
                  + sides.declared();
          case Descent.None _ ->
              "`"
                  + k
                  + "` "
                  + where
                  + " descends no divergence that has a name: its expected gradient is not that of "
                  + sides.declared();
        };
    if (!message.isEmpty()) {
      Diagnostic diagnostic =
          Diagnostic.of(BIASED_DIVERGENCE, span, message)
              .withHelp(
                  "`%s` estimates the value, but samples are drawn from the policy, so that its"
                          .formatted(k)
                      + " gradient is another: "
                      + exact(d, call)
                      + " for that of "
                      + sides.declared()
                      + ", or write `accept biased` behind the term to keep it");
      context.report(unbiased(d, placement, call).map(diagnostic::withFix).orElse(diagnostic));
    }
  }

  /** What has the divergence's own gradient, for a call with options or of an estimator. */
  private String exact(Divergence d, Expression.Call call) {
    boolean options = call.arguments().stream().anyMatch(a -> a.name().orElse("").equals("by"));
    List<String> right = new ArrayList<>();
    List<String> timesRatio = new ArrayList<>();
    for (Placement place : Placement.values()) {
      for (Estimator k : Estimator.values()) {
        if (d.descends(d.weight(k, place), named(call.span())) instanceof Descent.Matches) {
          String name = k.name().toLowerCase(java.util.Locale.ROOT);
          switch (place) {
            case LOSS ->
                right.add((options ? "`by = %s, in = loss`" : "`%s` in the loss").formatted(name));
            case REWARD ->
                right.add(
                    (options ? "`by = %s, in = reward`" : "`%s` in the reward").formatted(name));
            case LOSS_TIMES_RATIO ->
                timesRatio.add(
                    (options ? "`by = %s, in = loss, weight = ratio`" : "`%s` times the ratio")
                        .formatted(name));
          }
        }
      }
    }
    List<String> names = right.isEmpty() ? timesRatio : right;
    if (names.isEmpty()) {
      return options ? "leave `by` and `in` out" : "write the divergence itself";
    }
    return (options ? "leave `by` and `in` out, or use " : "use ") + String.join(" or ", names);
  }

  /** The estimator that is right in this place, or else the term without its options. */
  private Optional<Fix> unbiased(Divergence d, Placement placement, Expression.Call call) {
    Optional<Expression.Argument> by =
        call.arguments().stream().filter(a -> a.name().orElse("").equals("by")).findFirst();
    for (Estimator k : Estimator.values()) {
      if (d.descends(d.weight(k, placement), named(call.span())) instanceof Descent.Matches) {
        String name = k.name().toLowerCase(java.util.Locale.ROOT);
        if (by.isPresent()) {
          return Optional.of(
              Fix.suggested(
                  "write `by = " + name + "`", Edit.replace(by.get().value().span(), name)));
        }
        if (call.function() instanceof Expression.Member member) {
          Span span = member.span();
          Span written = span.source().span(span.end() - member.name().length(), span.end());
          return Optional.of(Fix.suggested("write `" + name + "`", Edit.replace(written, name)));
        }
      }
    }
    if (by.isEmpty()) {
      return Optional.empty();
    }
    Span first = call.arguments().getFirst().span();
    String kept =
        call.arguments().stream()
            .filter(a -> a.name().orElse("").equals("per"))
            .map(a -> ", " + a.span().text())
            .collect(Collectors.joining());
    Span options = first.source().span(first.end(), call.arguments().getLast().span().end());
    return Optional.of(Fix.suggested("leave `by` and `in` out", Edit.replace(options, kept)));
  }

  // Terms.

  /** {@code D(p || q)}: between distributions over the vocabulary, or between actors. */
  Meaning term(Divergence d, Expression.Call call, Scope scope) {
    List<Expression.Argument> arguments = call.arguments();
    if (arguments.isEmpty() || arguments.get(0).against().isEmpty()) {
      throw context.fail(
          WRONG_ARGUMENTS,
          call.span(),
          "a divergence is between two: `" + d.name() + "(pi || ref)`");
    }
    Expression left = arguments.get(0).value();
    Expression right = arguments.get(0).against().orElseThrow();
    Meaning p = checker.check(left, scope);
    Meaning q = checker.check(right, scope);
    if (p instanceof Meaning.OccupancyMeasure a && q instanceof Meaning.OccupancyMeasure c) {
      return occupancyTerm(d, a.actor(), c.actor(), call, scope);
    }
    if (p instanceof Meaning.OccupancyMeasure || q instanceof Meaning.OccupancyMeasure) {
      throw context.fail(
          WRONG_ARGUMENTS,
          call.span(),
          "an occupancy measure is compared with another",
          "write `" + d.name() + "(occupancy(pi) || occupancy(ref))`");
    }
    if (p instanceof Meaning.Value pv && q instanceof Meaning.Value qv) {
      if (arguments.size() > 1) {
        throw context.fail(
            WRONG_ARGUMENTS,
            arguments.get(1).span(),
            "a divergence between distributions over the vocabulary is exact and takes no options");
      }
      if (pv.kind() != Kind.PROB
          || qv.kind() != Kind.PROB
          || pv.domain().level() != Level.VOCAB
          || qv.domain().level() != Level.VOCAB) {
        throw context.fail(
            WRONG_ARGUMENTS,
            call.span(),
            "a divergence is between actors or between whole distributions",
            "write `"
                + d.name()
                + "(pi || ref)` for the sequence-level divergence, `"
                + d.name()
                + "(pi(y.vocab) || ref(y.vocab))` for the exact one at each token, or `"
                + d.name()
                + ".link(ratio)` for the link of a ratio");
      }
      Node density = d.density(b, pv.node(), qv.node());
      return Meaning.Value.of(Kind.REAL, b.sumTo(density, Domain.token(density.domain().owner())));
    }
    return actorTerm(d, p, q, call, left.span(), right.span());
  }

  /**
   * A divergence between occupancy measures {@code mu(s, a) = E[sum over t of g^t 1(s_t = s, a_t =
   * a)] / Z}, with {@code Z = E[sum over t of g^t]}. With {@code w = mu / mu'} it is {@code E[sum
   * of g^t f(w_t) / w_t] / Z}; as a functional of {@code mu} its derivative is {@code f'(w)}, so
   * that its gradient is that of the sampled return {@code sum of g^t (f'(w_t) - m) / Z}, with
   * {@code m} the mean of {@code f'(w)} under {@code mu}: what Z depends on is taken into account.
   */
  private Meaning occupancyTerm(
      Divergence d, Meaning.ActorName p, Meaning.ActorName q, Expression.Call call, Scope scope) {
    boolean leftTrained = isPolicy(p);
    if (leftTrained == isPolicy(q)) {
      throw context.fail(
          MISSING_ACTOR,
          call.span(),
          leftTrained
              ? "both sides of this divergence are the trained policy"
              : "neither side of this divergence is the trained policy: it has no gradient");
    }
    if (context.paired) {
      throw context.fail(
          WRONG_ARGUMENTS,
          call.span(),
          "an occupancy measure is an expectation under the policy, and pairs are not samples of"
              + " it",
          "use it in an objective whose rows are single responses");
    }
    double discount = 1;
    for (Expression.Argument argument : call.arguments().subList(1, call.arguments().size())) {
      if (call.arguments().size() > 2) {
        throw context.fail(
            WRONG_ARGUMENTS,
            call.arguments().get(2).span(),
            "a divergence between occupancy measures takes one discount");
      }
      if (!argument.name().orElse("").equals("discount")) {
        throw context.unknown(
            argument.span(),
            "option of a divergence between occupancy measures called",
            argument.name().orElse(""),
            List.of("discount"));
      }
      Span span = argument.value().span();
      discount = checker.fixed(checker.check(argument.value(), scope), span);
      if (!(discount > 0 && discount <= 1)) {
        throw context.fail(
            WRONG_ARGUMENTS, span, "a discount is above 0 and at most 1, and this is " + discount);
      }
    }
    Divergence oriented = leftTrained ? d : d.dual();
    Meaning.ActorName other = leftTrained ? q : p;
    CheckContext.Actor actor = checker.actor(other, call.span());
    String sequence = context.sequences.get(0);
    Node x =
        context.column("occupancy." + actor.name(), sequence, Level.TOKEN, 0, Kind.REAL).node();
    String input = ((Operation.Input) x.operation()).input().name();
    Double before = context.discounts.put(input, discount);
    if (before != null && before != discount) {
      throw context.fail(
          WRONG_ARGUMENTS,
          call.span(),
          "the occupancy measures of `%s` are compared with two discounts, %s and %s"
              .formatted(actor.name(), before, discount));
    }
    Domain token = Domain.token(sequence);
    Domain rows = Domain.sequence(sequence);
    Node weight =
        discount == 1
            ? b.broadcast(b.constant(1), token)
            : b.power(b.constant(discount), b.position(token, rows));
    Node visits = b.sumTo(weight, rows);
    Node norm = b.meanTo(visits, Domain.BATCH, "mean over no sequences");
    Node value = discounted(weight, Divergence.lower(b, oriented.estimator(Estimator.K1), x), rows);
    Node slope = discounted(weight, Divergence.lower(b, oriented.derivative(), x), rows);
    Node mean = b.divide(b.meanTo(slope, Domain.BATCH, "mean over no sequences"), norm);
    Node score = b.divide(b.subtract(slope, b.multiply(mean, visits)), norm);
    return expectation(
        metricName(call, other), b.divide(value, norm), score, call.span(), Optional.empty());
  }

  private Node discounted(Node weight, Node x, Domain rows) {
    return b.sumTo(b.multiply(weight, x), rows);
  }

  private record Options(String by, String in, String per, boolean ratio) {}

  private Options options(List<Expression.Argument> arguments) {
    String by = "";
    String in = "";
    String per = "sequence";
    boolean ratio = false;
    for (Expression.Argument argument : arguments) {
      String name = argument.name().orElse("");
      String value = argument.value() instanceof Expression.NameReference word ? word.name() : "";
      switch (name) {
        case "by" -> by = choice(argument, value, List.of("exact", "k1", "k2", "k3"));
        case "in" -> in = choice(argument, value, List.of("loss", "reward"));
        case "per" -> per = choice(argument, value, List.of("sequence", "token"));
        case "weight" -> ratio = choice(argument, value, List.of("ratio", "none")).equals("ratio");
        default ->
            throw context.unknown(
                argument.span(),
                "option of a divergence called",
                name,
                List.of("by", "in", "per", "weight"));
      }
    }
    return new Options(by, in, per, ratio);
  }

  private String choice(Expression.Argument argument, String value, List<String> known) {
    if (!known.contains(value)) {
      throw context.fail(
          WRONG_ARGUMENTS,
          argument.span(),
          "`" + argument.name().orElse("") + "` is one of " + String.join(", ", known));
    }
    return value;
  }

  private Meaning actorTerm(
      Divergence d, Meaning p, Meaning q, Expression.Call call, Span left, Span right) {
    if (context.paired) {
      throw context.fail(
          WRONG_ARGUMENTS,
          call.span(),
          "a divergence between actors is an expectation under the policy, and pairs are not"
              + " samples of it",
          "use `" + d.name() + ".link(ratio)` on the pair, or an objective without pairs");
    }
    boolean leftTrained = isPolicy(p);
    boolean rightTrained = isPolicy(q);
    if (leftTrained == rightTrained) {
      throw context.fail(
          MISSING_ACTOR,
          call.span(),
          leftTrained
              ? "both sides of this divergence are the trained policy"
              : "neither side of this divergence is the trained policy: it has no gradient");
    }
    // D_f(p || pi) = D_f~(pi || p): from here on the trained policy is on the left.
    Divergence oriented = leftTrained ? d : d.dual();
    Meaning other = leftTrained ? q : p;
    Span otherSpan = leftTrained ? right : left;
    CheckContext.Actor policy =
        checker.actor((Meaning.ActorName) (leftTrained ? p : q), leftTrained ? left : right);
    Options options = options(call.arguments().subList(1, call.arguments().size()));
    String sequence = context.sequences.get(0);
    String metric = metricName(call, other);

    if (options.by().equals("exact")) {
      return exact(d, p, q, call, options, policy, other, otherSpan, leftTrained, sequence);
    }
    String before = left.text();
    String after = right.text();
    Sides sides =
        new Sides(
            "%s(%s || %s)".formatted(d.name(), before, after),
            leftTrained
                ? "(%s || %s)".formatted(before, after)
                : "(%s || %s)".formatted(after, before));
    if (options.per().equals("token")) {
      return perToken(oriented, call, options, policy, other, otherSpan, sequence, sides);
    }
    Node logPolicy = b.sumTo(context.logProbability(policy, sequence), Domain.sequence(sequence));
    Node x = b.subtract(logPolicy, logOther(other, otherSpan, sequence, logPolicy));
    Node value = b.stop(Divergence.lower(b, oriented.estimator(Estimator.K1), x));
    if (options.in().equals("loss")) {
      Estimator k = estimator(options.by(), call);
      return Meaning.Value.of(
          Kind.REAL,
          b.meanTo(
              inLoss(oriented, k, options, x, logPolicy, call, sides),
              Domain.BATCH,
              "mean over no sequences"));
    }
    if (options.ratio()) {
      throw context.fail(
          WRONG_ARGUMENTS, call.span(), "`weight = ratio` needs `in = loss`: a reward is detached");
    }
    Sum weight;
    if (options.by().isEmpty()) {
      // A constant weight has no expected gradient: without it the score is that of the k1 reward.
      weight = oriented.link();
    } else {
      Estimator k = estimator(options.by(), call);
      judge(oriented, k, Placement.REWARD, call, sides);
      weight = oriented.weight(k, Placement.REWARD);
    }
    Node score = b.stop(Divergence.lower(b, weight, x));
    return expectation(
        metric,
        value,
        score,
        call.span(),
        Optional.of(
            new CheckContext.DivergenceUse(
                oriented,
                other instanceof Meaning.ActorName actor
                    ? actor.name()
                    : ((Meaning.TargetName) other).name(),
                other instanceof Meaning.TargetName)));
  }

  private Meaning exact(
      Divergence d,
      Meaning p,
      Meaning q,
      Expression.Call call,
      Options options,
      CheckContext.Actor policy,
      Meaning other,
      Span otherSpan,
      boolean leftTrained,
      String sequence) {
    if (!(p instanceof Meaning.ActorName) || !(q instanceof Meaning.ActorName)) {
      throw context.fail(
          WRONG_ARGUMENTS,
          call.span(),
          "`by = exact` sums over the vocabulary, which a target density does not have");
    }
    if (options.in().equals("reward") || options.ratio()) {
      throw context.fail(
          WRONG_ARGUMENTS, call.span(), "`by = exact` is differentiated: it stands in the loss");
    }
    if (!options.per().equals("token")) {
      context.report(
          Diagnostic.of(
                  BIASED_DIVERGENCE,
                  call.span(),
                  "`by = exact` sums the divergence of each visited state with the prefixes held"
                      + " fixed; the sequence-level "
                      + d.name()
                      + " also changes which prefixes are visited")
              .withHelp(
                  "say `per = token` if the prefix-frozen divergence is what you mean, or leave"
                      + " `by` out for the sequence-level one")
              .withFix(
                  Fix.suggested(
                      "add `per = token`",
                      Edit.behind(call.arguments().getLast().span(), ", per = token"))));
    }
    CheckContext.Actor frozen = checker.actor((Meaning.ActorName) other, otherSpan);
    Node logPolicy = context.logDistribution(policy, sequence);
    Node logOther = context.logDistribution(frozen, sequence);
    Node density =
        leftTrained ? d.density(b, logPolicy, logOther) : d.density(b, logOther, logPolicy);
    Node perSequence = b.sumTo(b.sumTo(density, Domain.token(sequence)), Domain.sequence(sequence));
    return Meaning.Value.of(
        Kind.REAL, b.meanTo(perSequence, Domain.BATCH, "mean over no sequences"));
  }

  private Meaning perToken(
      Divergence oriented,
      Expression.Call call,
      Options options,
      CheckContext.Actor policy,
      Meaning other,
      Span otherSpan,
      String sequence,
      Sides sides) {
    if (!(other instanceof Meaning.ActorName name)) {
      throw context.fail(
          WRONG_ARGUMENTS, call.span(), "a target density has no tokens: leave `per` out");
    }
    if (!options.in().equals("loss")) {
      throw context.fail(
          WRONG_ARGUMENTS,
          call.span(),
          "`per = token` is the prefix-frozen divergence, which is differentiated: it needs `in ="
              + " loss`",
          "a reward is summed over the tokens anyway: leave `per` out");
    }
    Node logPolicy = context.logProbability(policy, sequence);
    Node logOther = context.logProbability(checker.actor(name, otherSpan), sequence);
    Node x = b.subtract(logPolicy, logOther);
    Node k = inLoss(oriented, estimator(options.by(), call), options, x, logPolicy, call, sides);
    return Meaning.Value.of(
        Kind.REAL,
        b.meanTo(b.sumTo(k, Domain.sequence(sequence)), Domain.BATCH, "mean over no sequences"));
  }

  /** An estimator, differentiated, with or without the ratio of the policy to its frozen copy. */
  private Node inLoss(
      Divergence oriented,
      Estimator k,
      Options options,
      Node x,
      Node logPolicy,
      Expression.Call call,
      Sides sides) {
    judge(oriented, k, options.ratio() ? Placement.LOSS_TIMES_RATIO : Placement.LOSS, call, sides);
    Node value = Divergence.lower(b, oriented.estimator(k), x);
    Node penalty =
        options.ratio() ? b.expTimes(b.subtract(logPolicy, b.stop(logPolicy)), value) : value;
    context.declaredPenalties.add(penalty);
    return penalty;
  }

  private Estimator estimator(String by, Expression.Call call) {
    return switch (by) {
      case "k1" -> Estimator.K1;
      case "k2" -> Estimator.K2;
      case "k3" -> Estimator.K3;
      default ->
          throw context.fail(
              WRONG_ARGUMENTS, call.span(), "say which estimator: `by = k1`, `k2` or `k3`");
    };
  }

  private boolean isPolicy(Meaning meaning) {
    return meaning instanceof Meaning.ActorName actor && actor.role() == Statement.Role.POLICY;
  }

  private String metricName(Expression.Call call, Meaning other) {
    String text = call.function().span().text();
    String word = text.matches("[\\p{L}\\p{Nd}_]+") ? text : "divergence";
    String name = word.equals("KL") ? "kl" : word;
    return context.freshMetric(
        context.expectations.stream().anyMatch(e -> e.name().equals(name))
                && other instanceof Meaning.ActorName actor
            ? name + "_" + actor.name()
            : name);
  }

  /** The log-density of what the policy is compared with, normalised. */
  private Node logOther(Meaning other, Span span, String sequence, Node logPolicy) {
    return switch (other) {
      case Meaning.ActorName actor ->
          b.sumTo(
              context.logProbability(checker.actor(actor, span), sequence),
              Domain.sequence(sequence));
      case Meaning.TargetName target -> {
        // log P - log Z, with Z over the responses of each prompt: exact where they are all there,
        // otherwise the importance estimate mean(P / pi) over the prompt's samples.
        Node logDensity = b.stop(context.logDensity(target));
        context.grouped = true;
        Node logZ;
        if (context.enumerated) {
          logZ = b.reduce(Reduction.LOG_SUM_EXP, logDensity, Domain.GROUP);
        } else {
          Node ratio = b.subtract(logDensity, b.stop(logPolicy));
          logZ =
              b.subtract(
                  b.reduce(Reduction.LOG_SUM_EXP, ratio, Domain.GROUP),
                  b.log(b.count(ratio.domain(), Domain.GROUP)));
        }
        yield b.subtract(logDensity, logZ);
      }
      case Meaning unknown ->
          throw context.fail(
              WRONG_ARGUMENTS,
              span,
              "a divergence is between actors or a target, and this is " + unknown.what());
    };
  }

  // Expectations.

  /**
   * {@code E[x]}: the expectation under the current policy of something without a path gradient.
   */
  Meaning expectation(Expression.Index index, Scope scope) {
    Expression inner = index.indices().get(0);
    Meaning.Value value = checker.real(checker.check(inner, scope), inner.span());
    if (value.ensemble()) {
      throw context.fail(
          UNREDUCED,
          inner.span(),
          "this is an ensemble: reduce its members first",
          "for instance `E[min[member](" + inner.span().text() + ")]`");
    }
    if (context.paired) {
      throw context.fail(
          WRONG_ARGUMENTS,
          index.span(),
          "`E[...]` is an expectation under the policy, and pairs are not samples of it",
          "write a mean over the data: `mean[pair](...)`");
    }
    Node x = value.node();
    requireNoExpectation(x, index.span());
    if (x.domain().level().compareTo(Level.SEQUENCE) > 0) {
      throw context.fail(
          UNREDUCED,
          inner.span(),
          "the value is at "
              + x.domain().describe()
              + ", and an expectation is of one number per"
              + " sequence",
          "sum it: `E[sum[" + x.domain().level().word() + "](" + inner.span().text() + ")]`");
    }
    if (x.active()) {
      context.report(
          Diagnostic.of(
                  REWARD_GRADIENT,
                  inner.span(),
                  "inside `E[...]` no gradient flows: only the effect on what is sampled is"
                      + " optimised")
              .withHelp("write `stop(...)` to say that this is meant")
              .withFix(
                  Fix.safe(
                      "write `stop(...)`",
                      Edit.before(inner.span(), "stop("),
                      Edit.behind(inner.span(), ")"))));
    }
    String sequence = context.sequences.get(0);
    Node row = b.broadcast(b.stop(x), Domain.sequence(sequence));
    String metric = context.freshMetric(expectationName(inner.span().text(), x));
    return expectation(metric, row, row, index.span(), Optional.empty());
  }

  /**
   * What the expectation of an expression is called: its text if that is a name, {@code expected_r}
   * if {@code r} is the only thing that it names, such as {@code sum[token](r)}, and else {@code
   * expected}.
   */
  private String expectationName(String text, Node value) {
    if (text.matches("[\\p{L}\\p{Nd}_]+")) {
      return text;
    }
    Set<String> others = new TreeSet<>(context.sequences);
    for (Level level : Level.values()) {
      others.add(level.word());
    }
    for (Node node : ObjectiveProgram.reachable(List.of(value))) {
      if (node.operation() instanceof Operation.Parameter parameter) {
        others.add(parameter.name());
      }
    }
    Set<String> named = new TreeSet<>();
    NAMED.matcher(text).results().map(MatchResult::group).forEach(named::add);
    named.removeAll(others);
    return named.size() == 1 ? "expected_" + named.iterator().next() : "expected";
  }

  private void requireNoExpectation(Node value, Span span) {
    if (ObjectiveProgram.reachable(List.of(value)).stream()
        .anyMatch(n -> n.operation() instanceof Operation.Expectation)) {
      throw context.fail(
          WRONG_THING,
          span,
          "an expectation inside another is one number of the batch, and its own gradient would be"
              + " lost",
          "take it out: `E[(r - E[r])^2]` is `E[r^2] - E[r]^2`");
    }
  }

  private Meaning expectation(
      String name,
      Node value,
      Node score,
      Span span,
      Optional<CheckContext.DivergenceUse> divergence) {
    requireNoExpectation(value, span);
    requireNoExpectation(score, span);
    Node leaf = b.expectation(name, value, score);
    boolean known = context.expectations.stream().anyMatch(e -> e.leaf() == leaf);
    if (!known) {
      context.expectations.add(
          new CheckContext.ExpectationTerm(name, leaf, value, score, span, divergence));
    }
    return Meaning.Value.of(Kind.REAL, leaf);
  }
}
