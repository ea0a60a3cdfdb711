package org.alignlang.compiler.plan;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.plan.Site.Scope;

/**
 * What a plan costs: its loops as stages, with the numbers that each reads and writes and the
 * arithmetic of one element.
 *
 * @param stages the loops, in the order in which they run
 * @param streams what the tokens or the logits of each sequence cost altogether
 */
public record Stages(List<Stage> stages, List<Stream> streams) {

  /** Bytes of a number of a token or vocabulary column in single precision. */
  private static final int BYTES = 4;

  /**
   * One loop.
   *
   * @param scope what it goes over
   * @param owner the sequence, empty for rows and coarser
   * @param pass the pass over the rows that it belongs to; -1 is before the first
   * @param visit for the vocabulary, which visit to a row of logits it is, from 1
   * @param reads the inputs that it reads, by contract name
   * @param kept how many arrays of values that an earlier loop kept it reads
   * @param writes the inputs whose gradient it writes
   * @param keeps how many arrays it writes for later loops
   * @param sums how many reductions it makes up
   * @param sorts how many sorts it does: of a row of vocabulary entries each, which are in the
   *     operations of an entry, or of all rows or tokens, n elements in n log2 n comparisons, which
   *     are not
   * @param reordered how many rows of vocabulary entries it makes in the order of a sort, or back
   * @param flops operations of arithmetic per element, an exponential or logarithm counting {@value
   *     #TRANSCENDENTAL}, and a sort of vocabulary entries {@value #SORT}
   */
  public record Stage(
      Scope scope,
      String owner,
      int pass,
      int visit,
      Set<String> reads,
      int kept,
      Set<String> writes,
      int keeps,
      int sums,
      int sorts,
      int reordered,
      int flops) {

    /** Bytes that one element moves if nothing of it is in a cache. */
    public int bytes() {
      int ordered = scope == Scope.VOCAB ? SORT_BYTES * sorts + REORDER_BYTES * reordered : 0;
      return BYTES * (reads.size() + kept + writes.size() + keeps) + ordered;
    }
  }

  /**
   * All that is done with the tokens or the logits of a sequence.
   *
   * @param scope {@code TOKEN} or {@code VOCAB}
   * @param owner the sequence
   * @param visits how many loops go over a row
   * @param coupling what lies between the visits, and so how far they are apart
   * @param bytes bytes that one element moves: each column once if separable, else once per visit
   * @param bytesUncached bytes that one element moves if each visit goes to memory
   * @param sorts how many sorts of a row are among them
   * @param flops operations of arithmetic per element
   */
  public record Stream(
      Scope scope,
      String owner,
      int visits,
      Coupling coupling,
      int bytes,
      int bytesUncached,
      int sorts,
      int flops) {}

  /** What the gradient of a token or logit waits for. */
  public enum Coupling {
    /** Nothing but its own token: visits follow upon each other while the token is in a cache. */
    SEPARABLE,
    /** The whole row, a sequence or a pair: it is visited again when its first visit is done. */
    ROW,
    /** Other rows: the batch is visited again. */
    BATCH
  }

  /** What {@code exp}, {@code log} and their like count as. */
  public static final int TRANSCENDENTAL = 12;

  /**
   * What a sort costs each vocabulary entry, as {@code kernel.EntryOrders} does it: 4 operations to
   * make a key of a number, 3 to count each of its 8 digits, and 5 to move it once per digit.
   */
  public static final int SORT = 68;

  /**
   * Bytes of a sort for each entry: the number of 8 bytes that is laid out and read, a key of 8 and
   * a place of 4 written, the key read for its digits, and both moved once per digit.
   */
  private static final int SORT_BYTES = 8 + 8 + 12 + 8 + 8 * 24;

  /** Bytes of a row in the order of a sort, for each entry: a place, a number read and written. */
  private static final int REORDER_BYTES = 4 + 8 + 8;

  /** The stages of a plan. */
  public static Stages of(Plan plan) {
    List<Stage> stages = new ArrayList<>();
    Map<List<Object>, Set<List<Object>>> sorted = new LinkedHashMap<>();
    Map<String, Integer> visits = new LinkedHashMap<>();
    Map<List<Object>, Collected> loops = new LinkedHashMap<>();
    plan.sites()
        .forEach((site, block) -> {
          if (block.computed().isEmpty()
              && block.reduced().isEmpty()
              && block.written().isEmpty()) {
            return;
          }
          boolean tokens = site.scope() == Scope.TOKEN;
          List<Object> loop =
              List.of(
                  site.scope(),
                  site.pass(),
                  site.rowStep(),
                  site.owner(),
                  tokens ? 0 : site.tokenStep());
          // What is sorted once serves all loops of a nest, or all that is laid out by it.
          Set<List<Object>> known =
              sorted.computeIfAbsent(
                  site.scope() == Scope.VOCAB
                      ? List.of(site.pass(), site.rowStep(), site.owner())
                      : List.of(),
                  _ -> new LinkedHashSet<>());
          loops.computeIfAbsent(loop, _ -> new Collected(site)).add(plan, site, block, known);
        });
    for (Collected loop : loops.values()) {
      int visit =
          loop.site.scope() == Scope.VOCAB ? visits.merge(loop.site.owner(), 1, Integer::sum) : 0;
      stages.add(loop.stage(visit));
    }
    return new Stages(List.copyOf(stages), streams(plan, stages));
  }

  private static List<Stream> streams(Plan plan, List<Stage> stages) {
    List<Stream> streams = new ArrayList<>();
    for (Scope scope : List.of(Scope.TOKEN, Scope.VOCAB)) {
      Set<String> owners = new LinkedHashSet<>();
      stages.stream().filter(s -> s.scope() == scope).forEach(s -> owners.add(s.owner()));
      for (String owner : owners) {
        List<Stage> own =
            stages.stream().filter(s -> s.scope() == scope && s.owner().equals(owner)).toList();
        Set<List<Integer>> nests = new TreeSet<>(java.util.Comparator.comparing(List::toString));
        plan.sites().keySet().stream()
            .filter(s -> s.scope() == scope && s.owner().equals(owner))
            .forEach(s -> nests.add(List.of(s.pass(), s.rowStep())));
        Coupling coupling =
            nests.size() <= 1
                ? Coupling.SEPARABLE
                : nests.stream().map(List::getFirst).distinct().count() <= 1
                    ? Coupling.ROW
                    : Coupling.BATCH;
        boolean once = coupling == Coupling.SEPARABLE;
        Set<String> columns = new TreeSet<>();
        own.forEach(stage -> {
          stage.reads().forEach(name -> columns.add("read " + name));
          stage.writes().forEach(name -> columns.add("write " + name));
        });
        int uncached = own.stream().mapToInt(Stage::bytes).sum();
        streams.add(
            new Stream(
                scope,
                owner,
                own.size(),
                coupling,
                once ? BYTES * columns.size() : uncached,
                uncached,
                own.stream().mapToInt(Stage::sorts).sum(),
                own.stream().mapToInt(Stage::flops).sum()));
      }
    }
    return List.copyOf(streams);
  }

  private static final class Collected {
    private final Site site;
    private final Set<String> reads = new TreeSet<>();
    private final Set<String> writes = new TreeSet<>();
    private final Set<Node> computed = new LinkedHashSet<>();
    private final Set<Node> kept = new LinkedHashSet<>();
    private final Set<Node> exponents = new LinkedHashSet<>();
    private int keeps;
    private int sums;
    private int sorts;
    private int reordered;
    private int flops;

    Collected(Site site) {
      this.site = site;
    }

    void add(Plan plan, Site at, Plan.Block block, Set<List<Object>> sorted) {
      computed.addAll(block.computed());
      for (Node node : block.computed()) {
        if (node.operation() instanceof Operation.Input input) {
          reads.add(input.input().name());
        }
        flops += flops(node);
        if (node.operation() instanceof Operation.Reorder reorder && Planner.isLaid(node)) {
          sort(node, reorder.within(), sorted);
        } else if (node.operation() instanceof Operation.Matching matching) {
          sort(node, matching.within(), sorted);
        }
        boolean weighs =
            node.operation() instanceof Operation.Combine combine
                && combine.function() == Binary.EXP_TIMES;
        boolean exponential =
            node.operation() instanceof Operation.Apply apply && apply.function() == Unary.EXP;
        if ((weighs || exponential) && exponents.add(Plan.base(node.operand(0)))) {
          flops += TRANSCENDENTAL;
        }
        if (plan.kept().contains(node) && at.scope() != Scope.VOCAB) {
          keeps++;
        }
        for (Node operand : node.operands()) {
          Node base = Plan.base(operand);
          boolean here = Scope.of(base.domain().level()) == at.scope();
          if (here && plan.kept().contains(base) && !computed.contains(base)) {
            kept.add(base);
          }
        }
      }
      for (Node reduction : block.reduced()) {
        if (reduction.operation() instanceof Operation.Reorder reorder) {
          sort(reduction, reorder.within(), sorted);
          reordered++;
          flops++;
        } else {
          sums++;
          flops += flops(reduction);
        }
      }
      block.written().forEach(output -> writes.add(output.input()));
    }

    /** Counts a sort by a key, unless it is done already. */
    private void sort(Node node, Domain within, Set<List<Object>> sorted) {
      if (sorted.add(List.of(Plan.base(node.operand(1)), within))) {
        sorts++;
        flops += site.scope() == Scope.VOCAB ? SORT : 0;
      }
    }

    Stage stage(int visit) {
      return new Stage(
          site.scope(),
          site.owner(),
          site.pass(),
          visit,
          reads,
          kept.size(),
          writes,
          keeps,
          sums,
          sorts,
          reordered,
          flops);
    }
  }

  /**
   * The arithmetic of one element; exponentials are counted once each, where they are first used.
   */
  private static int flops(Node node) {
    return switch (node.operation()) {
      case Operation.Constant _,
          Operation.Parameter _,
          Operation.Multiplier _,
          Operation.Input _,
          Operation.Count _,
          Operation.OneHot _,
          Operation.Checked _,
          Operation.Stop _,
          Operation.Broadcast _,
          Operation.Lift _,
          Operation.Taken _,
          Operation.Reorder _,
          Operation.Matching _,
          Operation.Largest _,
          Operation.Beside _,
          Operation.Position _,
          Operation.Shift _,
          Operation.Expectation _ ->
          0;
      case Operation.Scan _ -> 2;
      case Operation.Select _ -> 1;
      case Operation.Reduce reduce ->
          switch (reduce.reduction()) {
            case SUM, MAXIMUM, MINIMUM -> 1;
            case LOG_SUM_EXP -> TRANSCENDENTAL + 2;
            case SOFTMAX_MEAN -> 2;
          };
      case Operation.Apply apply ->
          switch (apply.function()) {
            case NEGATE, ABS, SIGN, FLOOR, NOT, SQRT -> 1;
            case EXP -> 0;
            case LOG, EXPM1, LOG1P, SIGMOID, TANH, ARCTAN -> TRANSCENDENTAL;
            case LOG_SIGMOID, SOFTPLUS, LOG1MEXP -> 2 * TRANSCENDENTAL;
          };
      case Operation.Combine combine ->
          switch (combine.function()) {
            case ADD,
                SUBTRACT,
                MULTIPLY,
                DIVIDE,
                MINIMUM,
                MAXIMUM,
                LOG_RATIO,
                LESS,
                LESS_EQUAL,
                EQUAL,
                AND,
                OR,
                EXP_TIMES ->
                1;
            case POWER, LOG_ADD_EXP -> 2 * TRANSCENDENTAL;
          };
    };
  }
}
