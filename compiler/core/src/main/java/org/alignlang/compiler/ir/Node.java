package org.alignlang.compiler.ir;

import java.util.List;
import org.alignlang.compiler.source.Span;

/**
 * A value of the graph. Nodes are made by a {@link GraphBuilder}, which checks their operands and
 * makes the same node once; two nodes are the same value if they are the same object. Numbers grow
 * from operands to results, so that descending numbers are a reverse topological order.
 */
public final class Node {
  private final int number;
  private final Operation operation;
  private final List<Node> operands;
  private final Domain domain;
  private final boolean active;
  private final Span origin;
  private final int height;

  Node(
      int number,
      Operation operation,
      List<Node> operands,
      Domain domain,
      boolean active,
      Span origin) {
    this.number = number;
    this.operation = operation;
    this.operands = operands;
    this.domain = domain;
    this.active = active;
    this.origin = origin;
    int highest = -1;
    for (Node operand : operands) {
      highest = Math.max(highest, operand.height);
    }
    this.height = highest + 1;
  }

  /** The position in construction order. */
  public int number() {
    return number;
  }

  public Operation operation() {
    return operation;
  }

  public List<Node> operands() {
    return operands;
  }

  public Node operand(int index) {
    return operands.get(index);
  }

  public Domain domain() {
    return domain;
  }

  /** Whether a gradient can flow from here to a trained actor. */
  public boolean active() {
    return active;
  }

  /** The stretch of the spec that this value comes from. */
  public Span origin() {
    return origin;
  }

  /** The longest way from here to a leaf. */
  public int height() {
    return height;
  }

  /** Whether this is the given number. */
  public boolean isConstant(double value) {
    return operation instanceof Operation.Constant constant && constant.value() == value;
  }

  @Override
  public String toString() {
    return "%"
        + number
        + " = "
        + operation
        + operands.stream().map(n -> "%" + n.number).toList()
        + " : "
        + domain;
  }
}
