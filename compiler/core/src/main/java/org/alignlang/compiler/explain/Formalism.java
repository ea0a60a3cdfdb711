package org.alignlang.compiler.explain;

import java.util.List;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.gradient.ReverseMode;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Substitution;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/**
 * Where an objective stands among the seventeen formalisms of "On the Expressivity of
 * Objective-Specification Formalisms in Reinforcement Learning" (Subramani et al. 2024): the least
 * of them that has it by its form, with an order over policies that this formalism cannot state,
 * where one is known.
 *
 * @param name the formalism's name there
 * @param form its form
 * @param reason why the objective has that form
 * @param witness what it cannot state, or that this is not known here
 */
record Formalism(String name, String form, String reason, String witness) {
  private static final String MATCH =
      "Two states in a row with actions a and b, and the order aa ∼ bb > ab ∼ ba (\"match\"): the"
          + " occupancies of aa and bb add up to those of ab and ba, so no sum of rewards per state"
          + " and action can put the first two above the others.";

  private static final String MATCH_AND_UNIFORM =
      "The order aa ∼ bb ∼ uniform > ab ∼ ba (\"match\", with the uniform policy at the top): the"
          + " uniform policy takes every trajectory, so a mean that is greatest there is the same"
          + " for every trajectory, and then for every policy.";

  private static final String LEXICOGRAPHIC =
      "A lexicographic order of two returns, the second deciding only between equals in the first:"
          + " over a continuum of policies no real number stands for it (Debreu).";

  static Formalism of(CheckedObjective objective) {
    if (objective.expectations().isEmpty()) {
      return new Formalism(
          "FPR",
          "f(π)",
          "it is a number made of the policy's probabilities on data, and no expectation under the"
              + " policy",
          LEXICOGRAPHIC);
    }
    long rewards = objective.expectations().stream().filter(t -> t.divergence().isEmpty()).count();
    boolean divergence = rewards < objective.expectations().size();
    if (!objective.constraints().isEmpty()) {
      return new Formalism(
          divergence ? "PO" : "GOMORL",
          divergence ? "a preorder on π" : "a preorder on (J₁, …, Jₖ)",
          "policies that break a constraint come after those that do not, whatever they gain",
          divergence
              ? "Nothing that orders policies: it is the largest of the seventeen. Whether a"
                  + " smaller one has this objective is not decided here."
              : "Two policies that differ only where neither ever comes have the same expected"
                  + " returns: no preorder on returns puts one above the other.");
    }
    boolean occupancies = objective.signature().inputs().stream().anyMatch(Signature::isOccupancy);
    if (occupancies && !divergence && !hasDirectPart(objective)) {
      return new Formalism(
          "FOMR",
          "f(occupancy)",
          "its expectations are functions of how often each state and action come up; it is equal"
              + " to OMORL and FTLR",
          LEXICOGRAPHIC);
    }
    boolean linear = isLinear(objective);
    boolean direct = hasDirectPart(objective);
    if (direct) {
      return new Formalism(
          "FPR",
          "f(π)",
          "beside its expectations it has terms that are functions of the policy's probabilities",
          LEXICOGRAPHIC);
    }
    if (divergence) {
      boolean sumsOverStates =
          linear
              && objective.expectations().stream()
                  .filter(t -> t.divergence().isPresent())
                  .allMatch(t -> DivergenceExplainer.isLogarithm(t.divergence().orElseThrow()));
      return sumsOverStates
          ? new Formalism(
              "RRL",
              "𝔼 ∑ γᵗ (R − α F[π(sₜ)])",
              "by the chain rule the reverse KL of whole responses is the sum over visited states"
                  + " of the KL there, with a prefix as state",
              MATCH
                  + " The penalty does not help: among policies that choose for certain, the KL to"
                  + " the reference is itself a reward, −log π_ref, per state and action.")
          : new Formalism(
              "FPR",
              "f(π)",
              "the divergence of whole responses is no sum over visited states, or the objective is"
                  + " not linear in it",
              LEXICOGRAPHIC);
    }
    if (!linear) {
      return rewards == 1
          ? new Formalism(
              "ONMR",
              "f(𝔼[G])",
              "a function of one expected return that is not linear",
              "Not known here. That it states what others cannot is: \"match\" is f(x) = −|x|.")
          : new Formalism(
              "OMORL",
              "f(J₁, …, Jₖ)",
              "a function of " + rewards + " expected returns that is not linear",
              LEXICOGRAPHIC);
    }
    boolean markov =
        objective.expectations().stream().allMatch(t -> isSumOfTokenRewards(t.content()));
    return markov
        ? new Formalism(
            "MR",
            "𝔼[G], G = ∑ γᵗ R",
            "a sum of rewards per token, in expectation; with a prefix as state they are Markov",
            MATCH)
        : new Formalism(
            "FTR",
            "𝔼[f(ξ)]",
            "one number per whole response, in expectation. With a prefix as state it is a reward"
                + " at the last token, and so MR; over states that forget it is not",
            MATCH_AND_UNIFORM);
  }

  /** Whether what is optimised is linear in its expectations. */
  private static boolean isLinear(CheckedObjective objective) {
    List<Node> leaves = objective.expectations().stream().map(CheckedObjective.Term::leaf).toList();
    return ReverseMode.gradient(objective.builder(), objective.value()).values().stream()
        .noneMatch(slope ->
            ObjectiveProgram.reachable(List.of(slope)).stream().anyMatch(leaves::contains));
  }

  private static boolean hasDirectPart(CheckedObjective objective) {
    GraphBuilder b = objective.builder();
    java.util.Map<Node, Node> zeros = new java.util.LinkedHashMap<>();
    objective.expectations().forEach(t -> zeros.put(t.leaf(), b.constant(0)));
    return new Substitution(b, zeros).apply(objective.value()).active();
  }

  /** Whether a value is a sum over tokens of columns, with constant factors. */
  private static boolean isSumOfTokenRewards(Node node) {
    return switch (node.operation()) {
      case Operation.Broadcast _, Operation.Stop _, Operation.Lift _, Operation.Checked _ ->
          isSumOfTokenRewards(node.operand(0));
      case Operation.Reduce reduce ->
          reduce.reduction() == Operation.Reduction.SUM
              && node.operand(0).operation() instanceof Operation.Input input
              && input.input().role() == Signature.Role.COLUMN
              && input.input().level() == Level.TOKEN;
      default -> false;
    };
  }
}
