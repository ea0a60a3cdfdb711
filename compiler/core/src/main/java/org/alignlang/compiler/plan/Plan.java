package org.alignlang.compiler.plan;

import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.SortedSet;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;

/**
 * How a program is computed: which values at which site, in what order, and what is kept. Every
 * back end lowers this and nothing else.
 *
 * @param program the program, with means in place of sums where that saves a visit to the logits
 * @param graph the builder of its values, which knows their names
 * @param passes the number of passes over the rows
 * @param sites the sites in the order in which they are visited, each with what happens there
 * @param kept values that outlive the loop that computes them and are kept in arrays: one number
 *     per row, token or group; values of the batch are always kept
 * @param split passes whose row values are too many for one method; there they are all kept
 * @param forward what the loss, the metrics and the violations are made of; the rest is gradient
 */
public record Plan(
    ObjectiveProgram program,
    GraphBuilder graph,
    int passes,
    NavigableMap<Site, Block> sites,
    Set<Node> kept,
    Set<Integer> split,
    Set<Node> forward) {

  /**
   * What happens at a site, operands first.
   *
   * @param computed the values computed here; those that only repeat a coarser value are not among
   *     them
   * @param reduced the reductions that accumulate the values of this site
   * @param written the gradients written here
   */
  public record Block(SortedSet<Node> computed, SortedSet<Node> reduced, List<Output> written) {}

  /**
   * A gradient that is written.
   *
   * @param input the contract name of the input
   * @param value its value
   */
  public record Output(String input, Node value) {}

  /**
   * Whether a value is made for the loss, a metric or a violation, and not for a gradient alone.
   */
  public boolean isForward(Node node) {
    return forward.contains(node);
  }

  /** The value that a node repeats, or the node itself. */
  public static Node base(Node node) {
    Node base = node;
    while (base.operation() instanceof Operation.Broadcast
        || base.operation() instanceof Operation.Lift
        || base.operation() instanceof Operation.Stop) {
      base = base.operand(0);
    }
    return base;
  }
}
