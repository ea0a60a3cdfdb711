package org.alignlang.compiler.explain;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.ExpressionWalk;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.gradient.ReverseMode;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;

/**
 * How far the expected gradient of an estimator is from that of the expectation, read off what the
 * estimator is written with.
 */
final class Estimates {
  private Estimates() {}

  /** What there is to say of an objective's estimates, a paragraph each. */
  static List<String> of(
      CheckedObjective objective, Optional<Declaration.EstimatorDeclaration> estimator) {
    List<String> said = new ArrayList<>();
    estimator.ifPresent(e -> said.addAll(of(e)));
    List<Node> leaves = objective.expectations().stream().map(CheckedObjective.Term::leaf).toList();
    boolean nonlinear =
        ReverseMode.gradient(objective.builder(), objective.value()).values().stream()
            .anyMatch(slope ->
                ObjectiveProgram.reachable(List.of(slope)).stream().anyMatch(leaves::contains));
    if (nonlinear) {
      said.add(
          "The objective is not linear in its expectations, and its derivatives are taken at the"
              + " sample means: a bias of order 1/N, since a mean M of N samples of x has 𝔼[f′(M)]"
              + " = f′(𝔼[x]) + f‴(𝔼[x]) Var(x)/(2N) + …, and M is not independent of the samples"
              + " that it weighs.");
    }
    boolean exact =
        estimator.stream()
            .flatMap(e -> e.statements().stream())
            .anyMatch(Statement.Enumerate.class::isInstance);
    boolean target =
        objective.target().isPresent()
            || objective.declaration().statements().stream()
                .anyMatch(Statement.Target.class::isInstance);
    if (target && !exact) {
      said.add(
          "The target's normaliser is the mean of P/π over each prompt's samples: unbiased itself,"
              + " but a ratio to it is biased by a term of order 1/K (its inverse has the mean 1/Z"
              + " + Var(P/π)/(K Z³) + …).");
    }
    if (!objective.constraints().isEmpty()) {
      said.add(
          exact
              ? "Constraints are known exactly."
              : "Constraints are judged by the means of one batch: unbiased, and as noisy as that"
                  + " batch is small.");
    }
    return said;
  }

  private static List<String> of(Declaration.EstimatorDeclaration estimator) {
    List<String> said = new ArrayList<>();
    List<Expression> all = ExpressionWalk.of(estimator.statements());
    if (estimator.statements().stream().anyMatch(Statement.Enumerate.class::isInstance)) {
      said.add(
          "Nothing is sampled: the batch holds every response of each prompt, and ∇ ∑ π(y) r(y) is"
              + " the gradient of 𝔼[r] itself. No bias, no variance.");
      return said;
    }
    boolean behavior = all.stream().anyMatch(e -> isName(e, "old"));
    boolean clipped =
        behavior && all.stream().anyMatch(e -> isCall(e, "clamp") || isCall(e, "min"));
    boolean whole =
        all.stream().anyMatch(e -> e instanceof Expression.Call c && isApplied(c, "old"));
    Optional<String> spread = spread(all);
    boolean groupMean = all.stream().anyMatch(e -> isReduction(e, "mean", "group"));
    boolean leaveOut = all.stream().anyMatch(e -> isReduction(e, "count", "group"));
    boolean batchMean = all.stream().anyMatch(e -> isReduction(e, "mean", "batch"));
    boolean perToken = all.stream().anyMatch(e -> isReduction(e, "mean", "token"));
    said.add(
        "On samples of the policy itself 𝔼[∇ log π(y) r] is the gradient of 𝔼[r], and a baseline"
            + " b that does not depend on y changes nothing: 𝔼[∇ log π(y) b] = b ∇ ∑ π(y) = 0.");
    if (groupMean && leaveOut) {
      said.add("The baseline is the mean of the other responses, K (r − mean)/(K − 1): unbiased.");
    } else if (groupMean || batchMean) {
      String n = groupMean ? "K" : "N";
      said.add(
          "The baseline holds the response's own reward, so a part 1/%s of it is subtracted: the gradient is (%s − 1)/%s times the true one, its direction unbiased."
              .formatted(n, n, n));
    }
    spread.ifPresent(level ->
        said.add(
            "Division by the standard deviation per "
                + level
                + " weighs "
                + (level.equals("group") ? "prompts" : "batches")
                + " by 1/std: no longer the gradient of 𝔼[r], but of a mean in which each "
                + (level.equals("group") ? "prompt" : "batch")
                + " counts by the inverse of its spread; with few samples the spread depends on the"
                + " response too."));
    if (perToken) {
      said.add(
          "A mean over each response's tokens divides its gradient by its length T: 𝔼[∇ log π(y)"
              + " r/T] favours short right answers and long wrong ones.");
    }
    if (behavior) {
      said.add(
          whole
              ? "Samples of `old` are weighed by the whole response's ratio: unbiased before it is"
                  + " bounded."
              : "Samples of `old` are corrected token by token, with prefixes as `old` visits them:"
                  + " exact at π = old, and biased by the change in visited prefixes else.");
    }
    if (clipped) {
      said.add(
          "Where the bound on the ratio is reached the gradient is cut or held: no effect at"
              + " π = old, a bias towards `old` after the first step on a batch.");
    }
    return said;
  }

  private static boolean isName(Expression e, String name) {
    return e instanceof Expression.NameReference n && n.name().equals(name);
  }

  private static boolean isCall(Expression e, String name) {
    return e instanceof Expression.Call c && isName(c.function(), name);
  }

  private static boolean isApplied(Expression.Call call, String actor) {
    return isName(call.function(), actor)
        && call.arguments().size() == 1
        && call.arguments().getFirst().value() instanceof Expression.NameReference;
  }

  private static boolean isReduction(Expression e, String function, String level) {
    return e instanceof Expression.Index i
        && isName(i.target(), function)
        && i.indices().size() == 1
        && isName(i.indices().getFirst(), level);
  }

  private static Optional<String> spread(List<Expression> all) {
    for (String level : List.of("group", "batch")) {
      if (all.stream()
          .anyMatch(e -> isReduction(e, "std", level) || isReduction(e, "var", level))) {
        return Optional.of(level);
      }
    }
    return Optional.empty();
  }
}
