package org.alignlang.compiler.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.junit.jupiter.api.Test;

class CommonWeightsTest {

  private static ObjectiveProgram planned(String text) {
    CheckedObjective objective = Compiler.compile("weights.align", text).objectives().getFirst();
    return Planner.plan(objective.program(), objective.builder()).program();
  }

  @Test
  void aGradientIsOneProductWithTheProbability() {
    ObjectiveProgram program =
        planned(
            """
            objective Policy(beta: Real = 0.1, alpha: Real = 0.01) {
              policy    pi
              reference ref
              feature   a: token
              minimize mean[token, sequence](
                  -a * log(pi(y.token)) + beta * KL(pi(y.vocab) || ref(y.vocab))
                  - alpha * entropy(pi(y.vocab)))
            }
            """);
    Node gradient = program.gradients().values().iterator().next();
    List<Node> products =
        ObjectiveProgram.reachable(List.of(gradient)).stream()
            .filter(node ->
                node.operation() instanceof Operation.Combine combine
                        && combine.function() == Binary.EXP_TIMES
                    || node.operation() instanceof Operation.Apply apply
                        && apply.function() == Unary.EXP)
            .toList();
    assertThat(products).hasSize(1);
  }

  /** Sums that share their parts: each part is looked at once. */
  @Test
  void sharedPartsStayShared() {
    StringBuilder chain = new StringBuilder("let x0 = log(pi(y.vocab)) + pi(y.vocab)\n");
    for (int i = 1; i <= 16; i++) {
      chain.append("  let x%d = a * x%d + b * x%d\n".formatted(i, i - 1, i - 1));
    }
    ObjectiveProgram program =
        planned(
            """
            objective Chain {
              policy pi
              teacher t
              feature a: token
              feature b: token
              %s  minimize mean[token, sequence](
                  sum[vocab](x16 * t(y.vocab)^2) + entropy(pi(y.vocab)))
            }
            """
                .formatted(chain));
    assertThat(ObjectiveProgram.reachable(program.outputs())).hasSizeLessThan(1000);
  }
}
