package org.alignlang.compiler.reference;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Operation.Reduction;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.EvaluationException;
import org.alignlang.kernel.Functions;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;
import org.jspecify.annotations.Nullable;

/**
 * Evaluates graphs in double precision over a batch, one array per node: the meaning that every
 * back end is held against. Directional derivatives are carried forward as dual numbers, with rules
 * written here and not taken from the graph's own, so that gradients have an independent check.
 */
public final class Interpreter {
  private final Batch batch;
  private final double[] parameters;
  private final double[] multipliers;
  private final int firstPosition;
  private final Map<String, int[]> rowOfToken = new HashMap<>();

  /** The value of a node at every element of its domain and, if it moves, its derivative. */
  private record Dual(double[] value, double @Nullable [] tangent) {}

  /**
   * @param batch the data
   * @param parameters one value per declared parameter
   * @param multipliers one value per constraint
   */
  public Interpreter(Batch batch, double[] parameters, double[] multipliers) {
    this(batch, parameters, multipliers, 0);
  }

  /**
   * @param firstPosition the position of the first token of each sequence, where the batch holds
   *     later parts of sequences
   */
  public Interpreter(Batch batch, double[] parameters, double[] multipliers, int firstPosition) {
    this.batch = batch;
    this.firstPosition = firstPosition;
    this.parameters = parameters.clone();
    this.multipliers = multipliers.clone();
  }

  /** The value of one node: one number per element of its domain. */
  public double[] value(Node node) {
    return values(List.of(node)).get(0);
  }

  /** The values of several nodes; what they share is computed once, and dropped when used up. */
  public List<double[]> values(List<Node> outputs) {
    return run(outputs, Map.of()).stream().map(Dual::value).toList();
  }

  /**
   * The derivative of a node when the trained inputs move along a direction.
   *
   * @param direction by contract name, one number per entry of the input's column; inputs that are
   *     not named stand still
   */
  public double[] tangent(Node node, Map<String, double[]> direction) {
    Dual dual = run(List.of(node), direction).get(0);
    return dual.tangent() == null ? new double[dual.value().length] : dual.tangent();
  }

  private List<Dual> run(List<Node> outputs, Map<String, double[]> direction) {
    List<Node> nodes = ObjectiveProgram.reachable(outputs);
    Map<Node, Integer> uses = new HashMap<>();
    for (Node node : nodes) {
      node.operands().forEach(operand -> uses.merge(operand, 1, Integer::sum));
    }
    outputs.forEach(output -> uses.merge(output, 1, Integer::sum));
    Map<Node, Dual> results = new HashMap<>();
    for (Node node : nodes) {
      List<Dual> operands =
          node.operands().stream()
              .map(operand -> {
                Dual dual = results.get(operand);
                if (dual == null) {
                  throw new IllegalStateException(operand + " is not evaluated");
                }
                return dual;
              })
              .toList();
      results.put(node, evaluate(node, operands, direction));
      for (Node operand : node.operands()) {
        if (uses.merge(operand, -1, Integer::sum) == 0) {
          results.remove(operand);
        }
      }
    }
    return outputs.stream()
        .map(output -> {
          Dual dual = results.get(output);
          if (dual == null) {
            throw new IllegalStateException(output + " is not evaluated");
          }
          return dual;
        })
        .toList();
  }

  private Dual evaluate(Node node, List<Dual> operands, Map<String, double[]> direction) {
    int size = size(node.domain());
    return switch (node.operation()) {
      case Operation.Constant constant -> filled(size, constant.value());
      case Operation.Parameter parameter -> filled(size, parameters[parameter.index()]);
      case Operation.Multiplier multiplier -> filled(size, multipliers[multiplier.index()]);
      case Operation.Input input -> column(input, size, direction);
      case Operation.Count count -> new Dual(count(count.from(), node.domain()), null);
      case Operation.OneHot _ -> {
        int vocabulary = batch.vocabulary();
        int[] taken = batch.takenTokens(node.domain().owner());
        yield filled(size, e -> e % vocabulary == taken[e / vocabulary] ? 1 : 0);
      }
      case Operation.Checked checked -> {
        double[] value = operands.get(0).value();
        for (int e = 0; e < size; e++) {
          if (value[e] <= 0) {
            throw failure(checked, node.domain(), e);
          }
        }
        yield operands.get(0);
      }
      case Operation.Apply apply -> apply(apply.function(), operands.get(0));
      case Operation.Combine combine ->
          combine(combine.function(), operands.get(0), operands.get(1));
      case Operation.Select _ -> select(operands.get(0), operands.get(1), operands.get(2));
      case Operation.Stop _ -> new Dual(operands.get(0).value(), null);
      case Operation.Lift _ -> operands.get(0);
      case Operation.Broadcast _ ->
          gather(operands.get(0), size, parent(node.domain(), node.operand(0).domain()));
      case Operation.Reduce reduce ->
          reduce(
              reduce.reduction(),
              operands.get(0),
              size,
              parent(node.operand(0).domain(), node.domain()),
              !node.operand(0).domain().level().equals(Level.VOCAB)
                  && !node.operand(0).domain().level().equals(Level.TOKEN));
      case Operation.Position position ->
          new Dual(positions(node.domain(), position.within()), null);
      case Operation.Reorder reorder -> {
        int[][] order = order(operands.get(1).value(), node.domain(), reorder.within());
        Dual x = operands.get(0);
        yield new Dual(
            moved(x.value(), order, reorder.inverse()),
            x.tangent() == null ? null : moved(x.tangent(), order, reorder.inverse()));
      }
      case Operation.Largest _ -> {
        int vocabulary = batch.vocabulary();
        double[] logits = operands.get(0).value();
        int k = (int) Math.max(1, Math.min(Math.floor(operands.get(1).value()[0]), vocabulary));
        yield filled(
            size,
            t -> {
              double[] row =
                  Arrays.stream(logits, t * vocabulary, (t + 1) * vocabulary)
                      .map(x -> Double.isNaN(x) ? Double.NEGATIVE_INFINITY : x)
                      .sorted()
                      .toArray();
              return row[vocabulary - k];
            });
      }
      case Operation.Matching matching -> {
        double[] key = operands.get(1).value();
        Dual x = operands.get(0);
        double[] dx = x.tangent();
        yield new Dual(
            matching(x.value(), key, node.domain(), matching.within()),
            dx == null ? null : matching(dx, key, node.domain(), matching.within()));
      }
      case Operation.Beside _ -> {
        int[] from = batch.offsets(node.operand(0).domain().owner());
        int[] to = batch.offsets(node.domain().owner());
        int[] rows = rowOfToken(node.domain().owner());
        IntUnaryOperator other =
            t -> {
              int there = from[rows[t]] + t - to[rows[t]];
              return there < from[rows[t] + 1] ? there : -1;
            };
        Dual x = operands.get(0);
        double[] dx = x.tangent();
        yield new Dual(
            array(size, t -> other.applyAsInt(t) < 0 ? 0 : x.value()[other.applyAsInt(t)]),
            dx == null
                ? null
                : array(size, t -> other.applyAsInt(t) < 0 ? 0 : dx[other.applyAsInt(t)]));
      }
      case Operation.Scan scan -> {
        int[] offsets = batch.offsets(node.domain().owner());
        double[] discount = operands.get(1).value();
        Dual x = operands.get(0);
        yield new Dual(
            scanned(x.value(), discount, offsets, scan.backwards()),
            x.tangent() == null ? null : scanned(x.tangent(), discount, offsets, scan.backwards()));
      }
      case Operation.Shift shift -> {
        int[] rows = rowOfToken(node.domain().owner());
        int step = shift.next() ? 1 : -1;
        IntUnaryOperator from =
            t -> t + step >= 0 && t + step < size && rows[t + step] == rows[t] ? t + step : -1;
        Dual x = operands.get(0);
        double[] dx = x.tangent();
        yield new Dual(
            array(size, t -> from.applyAsInt(t) < 0 ? 0 : x.value()[from.applyAsInt(t)]),
            dx == null
                ? null
                : array(size, t -> from.applyAsInt(t) < 0 ? 0 : dx[from.applyAsInt(t)]));
      }
      case Operation.Taken _ -> {
        int[] taken = batch.takenTokens(node.domain().owner());
        yield gather(operands.get(0), size, t -> t * batch.vocabulary() + taken[t]);
      }
      case Operation.Expectation expectation ->
          throw new IllegalArgumentException(
              "the expectation `" + expectation.name() + "` has no estimator yet");
    };
  }

  // Domains.

  private int size(Domain domain) {
    return switch (domain.level()) {
      case BATCH -> 1;
      case GROUP -> {
        batch.requireGroups();
        yield batch.groups();
      }
      case PAIR, SEQUENCE -> batch.rows();
      case TOKEN -> batch.offsets(domain.owner())[batch.rows()];
      case VOCAB -> batch.offsets(domain.owner())[batch.rows()] * batch.vocabulary();
    };
  }

  private int[] rowOfToken(String owner) {
    return rowOfToken.computeIfAbsent(
        owner,
        name -> {
          int[] offsets = batch.offsets(name);
          int[] rows = new int[offsets[batch.rows()]];
          for (int i = 0; i < batch.rows(); i++) {
            Arrays.fill(rows, offsets[i], offsets[i + 1], i);
          }
          return rows;
        });
  }

  /** From an element of a domain to the element of a coarser one that holds it. */
  private IntUnaryOperator parent(Domain fine, Domain coarse) {
    if (coarse.level() == Level.BATCH) {
      return _ -> 0;
    }
    IntUnaryOperator toToken =
        fine.level() == Level.VOCAB ? e -> e / batch.vocabulary() : IntUnaryOperator.identity();
    if (fine.level().compareTo(Level.TOKEN) < 0) {
      return fromRow(fine, coarse);
    }
    if (coarse.level() == Level.TOKEN) {
      return toToken;
    }
    int[] rows = rowOfToken(fine.owner());
    IntUnaryOperator toRow = e -> rows[toToken.applyAsInt(e)];
    return coarse.level() == Level.GROUP ? toRow.andThen(this::groupOf) : toRow;
  }

  private IntUnaryOperator fromRow(Domain fine, Domain coarse) {
    return fine.isRow() && coarse.level() == Level.GROUP
        ? this::groupOf
        : IntUnaryOperator.identity();
  }

  private int groupOf(int row) {
    return batch.requireGroups()[row];
  }

  private double[] count(Domain from, Domain to) {
    double[] counts = new double[size(to)];
    IntUnaryOperator parent = parent(from, to);
    if (from.level() == Level.VOCAB) {
      Arrays.fill(counts, batch.vocabulary());
    } else {
      for (int e = 0; e < size(from); e++) {
        counts[parent.applyAsInt(e)]++;
      }
    }
    return counts;
  }

  private double[] positions(Domain rows, Domain within) {
    IntUnaryOperator scope = parent(rows, within);
    int[] next = new int[size(within)];
    boolean inSequence = rows.level() == Level.TOKEN && within.level() == Level.SEQUENCE;
    Arrays.fill(next, inSequence ? firstPosition : 0);
    return array(size(rows), row -> next[scope.applyAsInt(row)]++);
  }

  /** For each element the sum of those of its scope with the same key. */
  private double[] matching(double[] x, double[] key, Domain elements, Domain within) {
    IntUnaryOperator scope = parent(elements, within);
    Map<Double, Map<Integer, Double>> sums = new HashMap<>();
    for (int e = 0; e < x.length; e++) {
      if (!Double.isNaN(key[e])) {
        sums.computeIfAbsent(key[e] + 0.0, _ -> new HashMap<>())
            .merge(scope.applyAsInt(e), x[e], Double::sum);
      }
    }
    return array(
        x.length,
        e -> sums.getOrDefault(key[e] + 0.0, Map.of()).getOrDefault(scope.applyAsInt(e), x[e]));
  }

  /** Each token's discounted sum of all tokens of its row up to it, or from it on. */
  private static double[] scanned(double[] x, double[] discount, int[] offsets, boolean backwards) {
    double[] y = new double[x.length];
    for (int row = 0; row + 1 < offsets.length; row++) {
      int begin = offsets[row];
      int end = offsets[row + 1];
      double sum = 0;
      for (int i = 0; i < end - begin; i++) {
        int t = backwards ? end - 1 - i : begin + i;
        sum = x[t] + discount[row] * sum;
        y[t] = sum;
      }
    }
    return y;
  }

  /** The rows by scope, and the rows by scope and key: the i-th of each belong together. */
  private int[][] order(double[] key, Domain rows, Domain within) {
    IntUnaryOperator scope = parent(rows, within);
    Comparator<Integer> byScope = Comparator.comparingInt(scope::applyAsInt);
    List<Integer> plain = IntStream.range(0, key.length).boxed().sorted(byScope).toList();
    List<Integer> sorted =
        IntStream.range(0, key.length)
            .boxed()
            .sorted(byScope.thenComparingDouble(e -> key[e] + 0.0))
            .toList();
    return new int[][] {
      plain.stream().mapToInt(Integer::intValue).toArray(),
      sorted.stream().mapToInt(Integer::intValue).toArray()
    };
  }

  private static double[] moved(double[] x, int[][] order, boolean inverse) {
    int[] from = order[inverse ? 0 : 1];
    int[] to = order[inverse ? 1 : 0];
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[to[i]] = x[from[i]];
    }
    return y;
  }

  private EvaluationException failure(Operation.Checked checked, Domain domain, int element) {
    return switch (domain.level()) {
      case BATCH -> EvaluationException.at(checked.place(), checked.what());
      case GROUP, PAIR, SEQUENCE ->
          EvaluationException.at(checked.place(), checked.what(), domain.level(), element);
      case TOKEN, VOCAB ->
          EvaluationException.at(
              checked.place(),
              checked.what(),
              Level.SEQUENCE,
              parent(domain, Domain.sequence(domain.owner())).applyAsInt(element));
    };
  }

  // Values.

  private static Dual filled(int size, double value) {
    double[] values = new double[size];
    Arrays.fill(values, value);
    return new Dual(values, null);
  }

  /** A value for each element. */
  @FunctionalInterface
  private interface Element {
    double at(int element);
  }

  private static Dual filled(int size, Element element) {
    return new Dual(array(size, element), null);
  }

  private static double[] array(int size, Element element) {
    double[] values = new double[size];
    for (int e = 0; e < size; e++) {
      values[e] = element.at(e);
    }
    return values;
  }

  private Dual column(Operation.Input input, int size, Map<String, double[]> direction) {
    Signature.Input contract = input.input();
    if (contract.role() == Signature.Role.TOKENS) {
      int[] taken = batch.tokens(contract.sequence());
      return filled(size, t -> taken[t]);
    }
    int members = Math.max(1, contract.members());
    double[] values = batch.column(contract.name(), size * members);
    double[] change = contract.trained() ? direction.get(contract.name()) : null;
    if (members == 1) {
      return new Dual(values, change);
    }
    double[] moved = change == null ? null : array(size, e -> change[e * members + input.member()]);
    return new Dual(array(size, e -> values[e * members + input.member()]), moved);
  }

  private static Dual gather(Dual x, int size, IntUnaryOperator from) {
    double[] value = x.value();
    double[] tangent = x.tangent();
    return new Dual(
        array(size, e -> value[from.applyAsInt(e)]),
        tangent == null ? null : array(size, e -> tangent[from.applyAsInt(e)]));
  }

  private static Dual apply(Unary function, Dual operand) {
    double[] x = operand.value();
    double[] y = array(x.length, e -> function.value(x[e]));
    double[] dx = operand.tangent();
    if (dx == null || !function.differentiable()) {
      return new Dual(y, null);
    }
    return new Dual(
        y, array(x.length, e -> dx[e] == 0 ? 0 : derivative(function, x[e], y[e]) * dx[e]));
  }

  private static double derivative(Unary function, double x, double y) {
    return switch (function) {
      case NEGATE -> -1;
      case EXP -> y;
      case LOG -> 1 / x;
      case EXPM1 -> Math.exp(x);
      case LOG1P -> 1 / (1 + x);
      case SIGMOID -> y * Functions.sigmoid(-x);
      case LOG_SIGMOID -> Functions.sigmoid(-x);
      case SOFTPLUS -> Functions.sigmoid(x);
      case LOG1MEXP -> -1 / Math.expm1(-x);
      case TANH -> 1 - y * y;
      case ARCTAN -> 1 / (1 + x * x);
      case ABS -> Math.signum(x);
      case SQRT -> y == 0 ? 0 : 0.5 / y;
      case SIGN, FLOOR, NOT -> 0;
    };
  }

  private static Dual combine(Binary function, Dual first, Dual second) {
    double[] a = first.value();
    double[] b = second.value();
    double[] y = array(a.length, e -> function.value(a[e], b[e]));
    double[] da = first.tangent();
    double[] db = second.tangent();
    if ((da == null && db == null) || function.truth()) {
      return new Dual(y, null);
    }
    // An operand that stands still has no part in the derivative, not 0 times something; so has an
    // element whose change is 0, or comes from a branch that was not taken.
    double[] tangent = new double[a.length];
    for (int e = 0; e < a.length; e++) {
      double u = da == null ? 0 : da[e];
      double w = db == null ? 0 : db[e];
      tangent[e] =
          switch (function) {
            case ADD -> u + w;
            case SUBTRACT, LOG_RATIO -> u - w;
            case MULTIPLY -> part(da, b[e], u) + part(db, a[e], w);
            case DIVIDE -> part(da, 1 / b[e], u) - part(db, y[e] / b[e], w);
            case POWER -> {
              double byBase = part(da, b[e] * Math.pow(a[e], b[e] - 1), u);
              yield byBase + part(db, y[e] * Math.log(a[e]), w);
            }
            case MINIMUM -> a[e] <= b[e] ? u : w;
            case MAXIMUM -> b[e] <= a[e] ? u : w;
            case LOG_ADD_EXP ->
                (u == 0 ? 0 : Functions.expTimes(Functions.logRatio(a[e], y[e]), u))
                    + (w == 0 ? 0 : Functions.expTimes(Functions.logRatio(b[e], y[e]), w));
            case EXP_TIMES -> part(da, y[e], u) + (db == null ? 0 : Functions.expTimes(a[e], w));
            case LESS, LESS_EQUAL, EQUAL, AND, OR -> 0;
          };
    }
    return new Dual(y, tangent);
  }

  private static double part(double @Nullable [] tangent, double slope, double change) {
    return tangent == null || change == 0 ? 0 : slope * change;
  }

  private static Dual select(Dual condition, Dual yes, Dual no) {
    double[] c = condition.value();
    double[] a = yes.value();
    double[] b = no.value();
    double[] da = yes.tangent();
    double[] db = no.tangent();
    double[] y = array(c.length, e -> c[e] != 0 ? a[e] : b[e]);
    if (da == null && db == null) {
      return new Dual(y, null);
    }
    return new Dual(
        y,
        array(
            c.length,
            e -> {
              double[] chosen = c[e] != 0 ? da : db;
              return chosen == null ? 0 : chosen[e];
            }));
  }

  // Reductions.

  /**
   * Reduces in the order of the elements; sums over rows and groups are compensated (Neumaier
   * 1974), so that a batch of many rows loses nothing.
   */
  private static Dual reduce(
      Reduction reduction, Dual operand, int size, IntUnaryOperator parent, boolean compensated) {
    double[] x = operand.value();
    double[] y =
        switch (reduction) {
          case SUM -> sum(x, size, parent, compensated);
          case MAXIMUM -> extreme(x, size, parent, Double.NEGATIVE_INFINITY, Math::max);
          case MINIMUM -> extreme(x, size, parent, Double.POSITIVE_INFINITY, Math::min);
          case LOG_SUM_EXP -> logSumExp(x, size, parent);
          case SOFTMAX_MEAN ->
              throw new IllegalArgumentException("a plan's value, not a program's");
        };
    double[] dx = operand.tangent();
    if (dx == null) {
      return new Dual(y, null);
    }
    double[] tangent =
        switch (reduction) {
          case SUM -> sum(dx, size, parent, compensated);
          case LOG_SUM_EXP ->
              sum(
                  array(x.length, e -> Functions.expTimes(x[e] - y[parent.applyAsInt(e)], dx[e])),
                  size,
                  parent,
                  compensated);
          case SOFTMAX_MEAN ->
              throw new IllegalArgumentException("a plan's value, not a program's");
          case MAXIMUM, MINIMUM -> {
            // Elements that attain the extreme share it equally.
            double[] ties =
                sum(
                    array(x.length, e -> x[e] == y[parent.applyAsInt(e)] ? 1 : 0),
                    size,
                    parent,
                    false);
            double[] total =
                sum(
                    array(x.length, e -> x[e] == y[parent.applyAsInt(e)] ? dx[e] : 0),
                    size,
                    parent,
                    compensated);
            yield array(size, i -> ties[i] == 0 ? 0 : total[i] / ties[i]);
          }
        };
    return new Dual(y, tangent);
  }

  private static double[] sum(double[] x, int size, IntUnaryOperator parent, boolean compensated) {
    double[] total = new double[size];
    double[] lost = new double[size];
    for (int e = 0; e < x.length; e++) {
      int i = parent.applyAsInt(e);
      double before = total[i];
      total[i] = before + x[e];
      lost[i] +=
          Math.abs(before) >= Math.abs(x[e])
              ? (before - total[i]) + x[e]
              : (x[e] - total[i]) + before;
    }
    return compensated
        ? array(size, i -> Double.isFinite(total[i]) ? total[i] + lost[i] : total[i])
        : total;
  }

  private static double[] extreme(
      double[] x,
      int size,
      IntUnaryOperator parent,
      double start,
      java.util.function.DoubleBinaryOperator better) {
    double[] best = new double[size];
    Arrays.fill(best, start);
    for (int e = 0; e < x.length; e++) {
      int i = parent.applyAsInt(e);
      best[i] = better.applyAsDouble(best[i], x[e]);
    }
    return best;
  }

  /** With the largest term so far taken out; negative infinity where every term is. */
  private static double[] logSumExp(double[] x, int size, IntUnaryOperator parent) {
    double[] largest = new double[size];
    Arrays.fill(largest, Double.NEGATIVE_INFINITY);
    double[] total = new double[size];
    for (int e = 0; e < x.length; e++) {
      int i = parent.applyAsInt(e);
      if (x[e] > largest[i]) {
        total[i] = total[i] * Math.exp(largest[i] - x[e]) + 1;
        largest[i] = x[e];
      } else {
        total[i] += x[e] == largest[i] ? 1 : Math.exp(x[e] - largest[i]);
      }
    }
    return array(size, i -> largest[i] + Math.log(total[i]));
  }
}
