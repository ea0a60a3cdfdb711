package org.alignlang.runtime.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Signature.Input;
import org.alignlang.kernel.Signature.Role;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.argument.Names;
import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Response;

/**
 * Turns responses into the packed columns that a kernel or a row function reads: offsets, tokens,
 * scores of the task, labels, and log-probabilities or logits of actors.
 *
 * <p>Column names follow the contract {@code [SEQUENCE.][ACTOR.](logp|logits)}, {@code
 * [SEQUENCE.](reward|feature).NAME} and {@code label}; the sequence is left out for {@code y} and
 * the actor for the trained policy.
 */
final class BatchAssembler {
  /** The most numbers that one column may hold: 1 GiB. */
  private static final long MAXIMUM_COLUMN = 1L << 27;

  /** The most responses to a prompt that a win rate sums over. */
  private static final int MAXIMUM_OPPONENTS = 4096;

  /** The column that every task has of its pairs: the number of each among them, from 0. */
  private static final String PAIR_NUMBER = "number";

  private final Task task;
  private final List<Input> inputs;
  private final List<String> sequences;
  private final boolean grouped;
  private final String owner;

  /**
   * Checks that the task can give what the inputs ask for.
   *
   * @param sequences the names of the sequences of a row
   * @param grouped whether rows are grouped
   * @param owner who reads the batch, for messages, such as {@code objective `Dpo`}
   * @throws ExperimentException naming the first input that the task cannot give
   */
  BatchAssembler(
      Task task, List<Input> inputs, List<String> sequences, boolean grouped, String owner) {
    this.task = task;
    this.inputs = inputs;
    this.sequences = sequences;
    this.grouped = grouped;
    this.owner = owner;
    inputs.forEach(this::check);
  }

  /** The inputs that are log-probabilities, logits, win rates or occupancies of an actor. */
  List<Input> actorInputs() {
    return inputs.stream().filter(BatchAssembler::ofActor).toList();
  }

  /** Whether an input is a log-probability or a logit of an actor, or compares with it. */
  static boolean ofActor(Input input) {
    return input.role() == Role.LOG_PROBABILITY
        || input.role() == Role.LOGITS
        || isWinRate(input)
        || Signature.isOccupancy(input);
  }

  /** Whether an input is how probably a response is preferred to what an actor gives. */
  private static boolean isWinRate(Input input) {
    return Signature.opponent(input).isPresent() && !Signature.isOccupancy(input);
  }

  /** The actor whose probabilities an input is made of. */
  static String actor(Input input) {
    return Signature.opponent(input).orElse(input.actor());
  }

  private static boolean isPreference(Input input) {
    return input.role() == Role.COLUMN && withoutSequence(input).startsWith("preference.");
  }

  /** Whether an input belongs to the trained policy: its name has no actor. */
  static boolean ofTrainedPolicy(Input input) {
    String column = withoutSequence(input);
    return ofActor(input) && (column.equals("logp") || column.equals("logits"));
  }

  /** The name of the sequence that an input belongs to, {@code y} where it names none. */
  static String sequence(Input input) {
    return input.sequence().isEmpty() ? "y" : input.sequence();
  }

  /**
   * A batch with everything in it but the actors' columns, which are there but not filled in.
   *
   * @throws ExperimentException if a score of the task is not finite or not of its declared size
   */
  Batch lay(Rows rows, Workers workers) {
    Batch.Builder builder = Batch.builder(rows.count());
    for (String sequence : sequences) {
      List<Response> responses = rows.of(sequence);
      int[] offsets = offsets(responses);
      builder.sequence(sequence, offsets).tokens(sequence, tokens(responses, offsets));
      for (Input input : inputs) {
        if (input.level() != Level.PAIR && !isShared(input) && sequence(input).equals(sequence)) {
          layColumn(input, rows, responses, offsets, builder, workers);
        }
      }
    }
    for (Input input : inputs) {
      if (isShared(input)) {
        builder.column(input.name(), new double[1]);
      } else if (isComparison(input)) {
        builder.column(input.name(), comparisons(input, rows));
      } else if (input.level() == Level.PAIR) {
        builder.column(input.name(), ofPairs(score(input), rows.pairs()));
      }
    }
    if (inputs.stream().anyMatch(input -> input.level() == Level.VOCAB)) {
      builder.vocabulary(task.vocabulary());
    }
    if (grouped) {
      builder.groupBy(rows.groups());
    }
    return builder.build();
  }

  /**
   * Fills in one actor column.
   *
   * @throws ArithmeticException if the policy's logits have no softmax
   */
  void fill(Input input, Batch batch, Rows rows, Policy policy, Workers workers) {
    List<Response> responses = rows.of(sequence(input));
    int[] offsets = batch.offsets(sequence(input));
    double[] column = batch.column(input.name());
    if (isWinRate(input)) {
      fillWinRates(column, responses, policy, workers);
      return;
    }
    int vocabulary = task.vocabulary();
    boolean wantsLogits = input.role() == Role.LOGITS;
    workers.run(
        rows.count(),
        (from, to) -> {
          // What one row has computed the next one uses where it is in the same states.
          List<double[]> path = new ArrayList<>();
          for (int row = from; row < to; row++) {
            Response response = responses.get(row);
            int shared = row == from ? 0 : Responses.sharedStates(responses.get(row - 1), response);
            for (int t = 0; t < response.length(); t++) {
              if (t == path.size()) {
                path.add(new double[vocabulary]);
              }
              double[] logits = path.get(t);
              if (t >= shared) {
                policy.logits(response.promptAt(t), response.tokens(), response.seenAt(t), logits);
                if (!wantsLogits) {
                  Responses.logSoftmax(logits);
                }
              }
              int position = offsets[row] + t;
              if (wantsLogits) {
                System.arraycopy(logits, 0, column, position * vocabulary, vocabulary);
              } else {
                column[position] = logits[response.tokens()[t]];
              }
            }
          }
        });
  }

  /**
   * Fills in by how much more often the trained policy is in each state of a row and takes the
   * action there than another: {@code log(d_pi(s, a) / d_other(s, a))}.
   */
  void fillOccupancies(
      Input input, Batch batch, Rows rows, Policy trained, Policy other, double discount) {
    double[][] own = occupancy(trained, discount);
    double[][] others = occupancy(other, discount);
    List<Response> responses = rows.of(sequence(input));
    int[] offsets = batch.offsets(sequence(input));
    double[] column = batch.column(input.name());
    for (int row = 0; row < responses.size(); row++) {
      Response response = responses.get(row);
      for (int t = 0; t < response.length(); t++) {
        int state = response.promptAt(t);
        int action = response.tokens()[t];
        column[offsets[row] + t] = Math.log(own[state][action]) - Math.log(others[state][action]);
      }
    }
  }

  private double[][] occupancy(Policy policy, double discount) {
    return task.occupancy(policy, discount)
        .orElseThrow(() -> new IllegalStateException(task.name() + " has no occupancy measures"));
  }

  /** How probably each response is preferred to what a policy gives, by its own probabilities. */
  private void fillWinRates(
      double[] column, List<Response> responses, Policy policy, Workers workers) {
    Map<Integer, List<Response>> all = new TreeMap<>();
    Map<Integer, double[]> probabilities = new TreeMap<>();
    for (Response response : responses) {
      all.computeIfAbsent(
          response.prompt(),
          prompt -> {
            List<Response> opponents = task.responses(prompt, MAXIMUM_OPPONENTS);
            double[] own = Responses.logProbabilities(policy, opponents);
            probabilities.put(prompt, Arrays.stream(own).map(Math::exp).toArray());
            return opponents;
          });
    }
    workers.run(
        column.length,
        (from, to) -> {
          for (int row = from; row < to; row++) {
            Response response = responses.get(row);
            List<Response> opponents = all.getOrDefault(response.prompt(), List.of());
            double[] weights = probabilities.getOrDefault(response.prompt(), new double[0]);
            double sum = 0;
            for (int i = 0; i < weights.length; i++) {
              if (weights[i] > 0) {
                sum += weights[i] * task.preference(response, opponents.get(i));
              }
            }
            column[row] = sum;
          }
        });
  }

  /** Whether an input compares two sequences of a row. */
  private static boolean isComparison(Input input) {
    return input.level() == Level.PAIR && isPreference(input);
  }

  private double[] comparisons(Input input, Rows rows) {
    List<String> compared = compared(input);
    List<Response> first = rows.of(compared.get(0));
    List<Response> second = rows.of(compared.get(1));
    double[] column = new double[first.size()];
    for (int row = 0; row < column.length; row++) {
      column[row] = task.preference(first.get(row), second.get(row));
    }
    return column;
  }

  /** What is known of pairs, by their numbers. */
  private double[] ofPairs(String name, int[] pairs) {
    double[] known = task.pairColumns().get(name);
    return Arrays.stream(pairs).mapToDouble(pair -> known == null ? pair : known[pair]).toArray();
  }

  private void checkPairColumn(Input input) {
    if (!sequences.equals(List.of("chosen", "rejected"))) {
      throw cannot(input, "is one number per pair", "rows are no pairs of the task");
    }
    Set<String> known = new TreeSet<>(task.pairColumns().keySet());
    known.add(PAIR_NUMBER);
    if (!known.contains(score(input))) {
      throw new ExperimentException(
          "%s reads `%s`, but %s"
              .formatted(
                  owner,
                  input.name(),
                  Names.unknown(
                          "column of the pairs of task `" + task.name() + "` called",
                          score(input),
                          known)
                      .getMessage()));
    }
  }

  /**
   * {@code preference.P} of the two sequences of a row, {@code preference.P.a.b} of those named.
   */
  private List<String> compared(Input input) {
    String[] parts = input.name().split("\\.", -1);
    return parts.length == 4 ? List.of(parts[2], parts[3]) : sequences.subList(0, 2);
  }

  private void checkPreference(Input input) {
    if (!task.prefers()) {
      throw new ExperimentException(
          "%s reads `%s`, and task `%s` has no preference"
              .formatted(owner, input.name(), task.name()));
    }
    if (isWinRate(input) && task.responses(0, MAXIMUM_OPPONENTS).isEmpty()) {
      throw new ExperimentException(
          ("%s reads `%s`, a sum over all responses of the opponent: task `%s` has more than %d"
                  + " responses to a prompt")
              .formatted(owner, input.name(), task.name(), MAXIMUM_OPPONENTS));
    }
  }

  /** Fills in the scores that have changed since the batch was laid. */
  void refill(Batch batch, Rows rows, Workers workers) {
    for (Input input : inputs) {
      if (changes(input)) {
        List<Response> responses = rows.of(sequence(input));
        double[] now = scores(input, responses, batch.offsets(sequence(input)), workers);
        System.arraycopy(now, 0, batch.column(input.name()), 0, now.length);
      }
    }
  }

  /** Whether any input is a score that changes while policies are trained. */
  boolean readsChanging() {
    return inputs.stream().anyMatch(this::changes);
  }

  private boolean changes(Input input) {
    return input.role() == Role.COLUMN && task.changes(score(input));
  }

  private void layColumn(
      Input input,
      Rows rows,
      List<Response> responses,
      int[] offsets,
      Batch.Builder builder,
      Workers workers) {
    switch (input.role()) {
      case LOG_PROBABILITY -> builder.column(input.name(), new double[offsets[offsets.length - 1]]);
      case LOGITS ->
          builder.column(
              input.name(),
              new double[size(input, (long) offsets[offsets.length - 1] * task.vocabulary())]);
      // The batch holds the tokens themselves.
      case TOKENS -> {}
      case LEARNED -> builder.column(input.name(), new double[entries(input, responses, offsets)]);
      case COLUMN ->
          builder.column(
              input.name(),
              isLabel(input)
                  ? rows.labels()
                  : ofActor(input)
                      ? new double[entries(input, responses, offsets)]
                      : scores(input, responses, offsets, workers));
    }
  }

  /** How many numbers a block gives for a batch. */
  private static int entries(Input input, List<Response> responses, int[] offsets) {
    return switch (input.level()) {
      case BATCH -> 1;
      case GROUP, VOCAB -> throw new IllegalStateException("learned at " + input.level());
      case PAIR, SEQUENCE -> responses.size();
      case TOKEN -> offsets[offsets.length - 1];
    };
  }

  /** Whether an input is one number of the whole batch, filled in by who keeps it. */
  private static boolean isShared(Input input) {
    return input.level() == Level.BATCH;
  }

  private double[] scores(Input input, List<Response> responses, int[] offsets, Workers workers) {
    String score = score(input);
    boolean perToken = input.level() == Level.TOKEN;
    int width = Math.max(1, input.members());
    long entries = (long) (perToken ? offsets[offsets.length - 1] : responses.size()) * width;
    double[] column = new double[size(input, entries)];
    workers.run(
        responses.size(),
        (from, to) -> {
          for (int row = from; row < to; row++) {
            Response response = responses.get(row);
            double[] values = task.score(score, response);
            int expected = (perToken ? response.length() : 1) * width;
            if (values.length != expected) {
              throw new ExperimentException(
                  "task `%s` gives %d numbers for score `%s`, not %d, for the response `%s`"
                      .formatted(task.name(), values.length, score, expected, task.show(response)));
            }
            for (double value : values) {
              if (!Double.isFinite(value)) {
                throw new ExperimentException(
                    "task `%s` gives %s as score `%s` of the response `%s` to prompt %d"
                        .formatted(
                            task.name(), value, score, task.show(response), response.prompt()));
              }
            }
            int start = (perToken ? offsets[row] : row) * width;
            System.arraycopy(values, 0, column, start, expected);
          }
        });
    return column;
  }

  private void check(Input input) {
    if (input.role() == Role.LEARNED || isShared(input)) {
      return;
    }
    if (isPreference(input)) {
      checkPreference(input);
      return;
    }
    if (Signature.isOccupancy(input)) {
      if (task.dynamics().isEmpty()) {
        throw new ExperimentException(
            "%s reads `%s`, and task `%s` is no decision process"
                .formatted(owner, input.name(), task.name()));
      }
      return;
    }
    if (input.level() == Level.PAIR) {
      checkPairColumn(input);
      return;
    }
    if (!sequences.contains(sequence(input))) {
      throw cannot(input, "belongs to no sequence that a row has", String.join(", ", sequences));
    }
    switch (input.role()) {
      case LOG_PROBABILITY -> {
        if (input.level() != Level.TOKEN) {
          throw cannot(input, "must be at level token", "it is at level " + input.level().word());
        }
      }
      case LOGITS -> {
        if (input.level() != Level.VOCAB) {
          throw cannot(input, "must be at level vocab", "it is at level " + input.level().word());
        }
      }
      case TOKENS, LEARNED -> {}
      case COLUMN -> {
        if (!isLabel(input)) {
          checkScore(input);
        }
      }
    }
  }

  private void checkScore(Input input) {
    String score = score(input);
    if (score.isEmpty()) {
      throw cannot(input, "is nothing that a task gives", "it gives `reward.NAME`, `feature.NAME`");
    }
    Set<String> known = task.scores();
    if (!known.contains(score)) {
      throw new ExperimentException(
          "%s reads `%s`, but %s"
              .formatted(
                  owner,
                  input.name(),
                  Names.unknown("score of task `" + task.name() + "` called", score, known)
                      .getMessage()));
    }
    Level given = task.perToken(score) ? Level.TOKEN : Level.SEQUENCE;
    if (input.level() != given) {
      throw cannot(
          input,
          "is declared at level " + input.level().word(),
          "task `%s` gives `%s` at level %s".formatted(task.name(), score, given.word()));
    }
    if (input.members() != task.members(score)) {
      throw cannot(
          input,
          "is declared with %d ensemble members".formatted(input.members()),
          "task `%s` gives %d".formatted(task.name(), task.members(score)));
    }
  }

  private ExperimentException cannot(Input input, String complaint, String fact) {
    return new ExperimentException(
        "%s reads `%s`, which %s: %s".formatted(owner, input.name(), complaint, fact));
  }

  private int size(Input input, long entries) {
    if (entries > MAXIMUM_COLUMN) {
      throw new ExperimentException(
          "%s reads `%s`, which would hold %d numbers, more than %d; use a smaller batch or task"
              .formatted(owner, input.name(), entries, MAXIMUM_COLUMN));
    }
    return (int) entries;
  }

  private static boolean isLabel(Input input) {
    return input.level() == Level.SEQUENCE && withoutSequence(input).equals("label");
  }

  /** The score behind {@code reward.NAME} or {@code feature.NAME}; empty for other columns. */
  static String score(Input input) {
    String column = withoutSequence(input);
    for (String prefix : List.of("reward.", "feature.")) {
      if (column.startsWith(prefix)) {
        return column.substring(prefix.length());
      }
    }
    return "";
  }

  private static String withoutSequence(Input input) {
    String prefix = input.sequence() + ".";
    return input.name().startsWith(prefix) ? input.name().substring(prefix.length()) : input.name();
  }

  private static int[] offsets(List<Response> responses) {
    int[] offsets = new int[responses.size() + 1];
    for (int row = 0; row < responses.size(); row++) {
      offsets[row + 1] = Math.addExact(offsets[row], responses.get(row).length());
    }
    return offsets;
  }

  private static int[] tokens(List<Response> responses, int[] offsets) {
    int[] tokens = new int[offsets[responses.size()]];
    for (int row = 0; row < responses.size(); row++) {
      Response response = responses.get(row);
      System.arraycopy(response.tokens(), 0, tokens, offsets[row], response.length());
    }
    return tokens;
  }
}
