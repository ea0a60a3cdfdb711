package org.alignlang.compiler.experiment;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.reference.Interpreter;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Level;

/**
 * A value per sequence as a sum over its tokens: {@code sum over k of c_k sum[token](x_k)}, with
 * numbers of the batch {@code c_k} and terms {@code x_k} that see their own token and its position
 * alone.
 */
final class TokenTerms {
  /** One sum; without a node the term is 1, and the sum the length. */
  private record Term(List<Node> factors, List<Node> divisors, double sign, Optional<Node> node) {}

  private final List<Term> terms = new ArrayList<>();

  private TokenTerms() {}

  /** The terms of a value at sequence level, if it is such a sum. */
  static Optional<TokenTerms> of(Node value) {
    TokenTerms found = new TokenTerms();
    return found.collect(value, List.of(), List.of(), 1) ? Optional.of(found) : Optional.empty();
  }

  private boolean collect(Node node, List<Node> factors, List<Node> divisors, double sign) {
    return switch (node.operation()) {
      case Operation.Reduce reduce
          when reduce.reduction() == Operation.Reduction.SUM
              && node.operand(0).domain().level() == Level.TOKEN
              && ofOneToken(node.operand(0)) ->
          terms.add(new Term(factors, divisors, sign, Optional.of(node.operand(0))));
      case Operation.Count count when count.from().level() == Level.TOKEN ->
          terms.add(new Term(factors, divisors, sign, Optional.empty()));
      case Operation.Apply(Unary function) when function == Unary.NEGATE ->
          collect(node.operand(0), factors, divisors, -sign);
      case Operation.Combine(Binary function) -> {
        Node left = node.operand(0);
        Node right = node.operand(1);
        yield switch (function) {
          case ADD ->
              collect(left, factors, divisors, sign) && collect(right, factors, divisors, sign);
          case SUBTRACT ->
              collect(left, factors, divisors, sign) && collect(right, factors, divisors, -sign);
          case MULTIPLY ->
              ofBatch(left).isPresent()
                  ? collect(right, with(factors, left), divisors, sign)
                  : ofBatch(right).isPresent()
                      && collect(left, with(factors, right), divisors, sign);
          case DIVIDE ->
              ofBatch(right).isPresent() && collect(left, factors, with(divisors, right), sign);
          default -> false;
        };
      }
      default -> false;
    };
  }

  private static List<Node> with(List<Node> nodes, Node further) {
    List<Node> all = new ArrayList<>(nodes);
    all.add(ofBatch(further).orElseThrow());
    return List.copyOf(all);
  }

  /** The number of the batch that a node repeats. */
  private static Optional<Node> ofBatch(Node node) {
    if (node.domain().level() == Level.BATCH) {
      return Optional.of(node).filter(TokenTerms::givenNumber);
    }
    return node.operation() instanceof Operation.Broadcast
        ? ofBatch(node.operand(0))
        : Optional.empty();
  }

  /** Whether a number of the batch is made of numbers that do not depend on its rows. */
  private static boolean givenNumber(Node root) {
    return ObjectiveProgram.reachable(List.of(root)).stream()
        .allMatch(node ->
            switch (node.operation()) {
              case Operation.Constant _,
                  Operation.Parameter _,
                  Operation.Apply _,
                  Operation.Combine _,
                  Operation.Checked _,
                  Operation.Select _,
                  Operation.Stop _ ->
                  true;
              default -> false;
            });
  }

  /** Whether each value at token level depends on its own token and its position alone. */
  private static boolean ofOneToken(Node root) {
    for (Node node : ObjectiveProgram.reachable(List.of(root))) {
      boolean own =
          switch (node.operation()) {
            case Operation.Constant _,
                Operation.Parameter _,
                Operation.Apply _,
                Operation.Combine _,
                Operation.Checked _,
                Operation.Select _,
                Operation.Stop _ ->
                node.domain().level() == Level.TOKEN || node.domain().level() == Level.BATCH;
            case Operation.Input _ -> node.domain().level() == Level.TOKEN;
            case Operation.Position position ->
                node.domain().level() == Level.TOKEN && position.within().level() == Level.SEQUENCE;
            case Operation.Broadcast _ -> node.operand(0).domain().level() == Level.BATCH;
            default -> false;
          };
      if (!own) {
        return false;
      }
    }
    return true;
  }

  /**
   * The terms of tokens at a position, summed over {@code k}.
   *
   * @param batch rows of one token
   */
  double[] at(int position, Batch batch, double[] parameters, double[] multipliers) {
    Interpreter interpreter = new Interpreter(batch, parameters, multipliers, position);
    double[] sum = new double[batch.rows()];
    for (Term term : terms) {
      double coefficient = term.sign();
      for (Node factor : term.factors()) {
        coefficient *= interpreter.value(factor)[0];
      }
      for (Node divisor : term.divisors()) {
        coefficient /= interpreter.value(divisor)[0];
      }
      double[] values = term.node().map(interpreter::value).orElse(new double[0]);
      for (int row = 0; row < sum.length; row++) {
        sum[row] += coefficient * (values.length == 0 ? 1 : values[row]);
      }
    }
    return sum;
  }
}
