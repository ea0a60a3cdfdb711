package org.alignlang.runtime.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.experiment.ExperimentPlan.Training;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Labelled;
import org.alignlang.runtime.task.Task.Pair;
import org.alignlang.runtime.task.Task.Response;

/** Where the rows of a batch come from: a round's rows depend on the seed and the round alone. */
sealed interface RowSource {
  /** The most responses that an objective may enumerate. */
  int MAXIMUM_ENUMERATED = 200_000;

  /**
   * The rows of a round. The same object is returned for rounds with the same rows.
   *
   * @param round the number of the round from 0; a round is one batch, used for {@code epochs}
   *     steps
   * @param behaviour the policy that draws samples
   */
  Rows rows(long round, Policy behaviour, Workers workers);

  /**
   * The source that an objective needs.
   *
   * @throws ExperimentException if the task cannot give it, or the batch size does not fit
   */
  static RowSource of(Training point, Task task, Actors actors, long seed) {
    Signature signature = point.kernel().signature();
    String owner = "objective `" + signature.objective() + "`";
    CounterRandom random = CounterRandom.of(seed).stream("rows");
    if (point.batch() < 0 || point.group() < 1 || point.epochs() < 1) {
      throw new ExperimentException(
          "%s: batch %d, group %d and epochs %d must be at least 0, 1 and 1"
              .formatted(owner, point.batch(), point.group(), point.epochs()));
    }
    if (signature.sequences().equals(List.of("chosen", "rejected"))) {
      refuseEnumeration(signature, owner, "preference pairs");
      return new Pairs(task, owner, point.batch(), signature.grouped(), random);
    }
    if (!point.draws().isEmpty()) {
      refuseEnumeration(signature, owner, "draws of `sample`");
      return new Draws(task, owner, point, actors, random);
    }
    if (signature.sequences().size() > 1) {
      refuseEnumeration(signature, owner, "ranked lists");
      return new RankedLists(task, owner, point, random);
    }
    if (signature.inputs().stream().anyMatch(input -> input.name().equals("label"))) {
      refuseEnumeration(signature, owner, "labelled responses");
      return new LabelledRows(task, owner, point.batch(), random);
    }
    return signature.enumerated()
        ? new Enumerated(task, owner)
        : new Sampled(task, owner, point.batch(), point.group(), random);
  }

  private static void refuseEnumeration(Signature signature, String owner, String data) {
    if (signature.enumerated()) {
      throw new ExperimentException(
          "%s is estimated over all responses, which %s are not".formatted(owner, data));
    }
  }

  /** Prompts in turn, each visited by {@code group} rows. */
  final class Visits {
    private final Task task;
    private final int promptsPerRound;
    private final int group;

    private Visits(Task task, String owner, int batch, int group) {
      if (batch % group != 0) {
        throw new ExperimentException(
            "%s: batch %d is not a multiple of group %d, so the last group would be smaller"
                .formatted(owner, batch, group));
      }
      this.task = task;
      this.group = group;
      promptsPerRound = batch == 0 ? task.prompts() : batch / group;
    }

    private int rows() {
      return Math.multiplyExact(promptsPerRound, group);
    }

    /** The visit that each row belongs to. */
    private int[] groups() {
      int[] groups = new int[rows()];
      Arrays.setAll(groups, row -> row / group);
      return groups;
    }

    /** One response per row, drawn from a policy. */
    private List<Response> draw(long round, Policy policy, CounterRandom random, Workers workers) {
      Response[] responses = new Response[rows()];
      workers.run(
          responses.length,
          (from, to) -> {
            for (int row = from; row < to; row++) {
              int prompt = (int) ((round * promptsPerRound + row / group) % task.prompts());
              responses[row] = Responses.sample(policy, task, prompt, random.stream(round, row));
            }
          });
      return Arrays.asList(responses);
    }
  }

  /** Responses drawn anew each round: prompts in turn, {@code group} responses for each. */
  final class Sampled implements RowSource {
    private final Visits visits;
    private final CounterRandom random;

    private Sampled(Task task, String owner, int batch, int group, CounterRandom random) {
      visits = new Visits(task, owner, batch, group);
      this.random = random;
    }

    @Override
    public Rows rows(long round, Policy behaviour, Workers workers) {
      return Rows.of(visits.draw(round, behaviour, random, workers), visits.groups());
    }
  }

  /** Several responses to each prompt in a row, drawn anew each round, each from its own actor. */
  final class Draws implements RowSource {
    private final Visits visits;
    private final Map<String, String> draws;
    private final Actors actors;
    private final CounterRandom random;

    private Draws(Task task, String owner, Training point, Actors actors, CounterRandom random) {
      int group = point.kernel().signature().grouped() ? point.group() : 1;
      visits = new Visits(task, owner, point.batch(), group);
      draws = point.draws();
      this.actors = actors;
      this.random = random;
    }

    @Override
    public Rows rows(long round, Policy behaviour, Workers workers) {
      List<List<Response>> responses = new ArrayList<>();
      draws.forEach((sequence, actor) ->
          responses.add(
              visits.draw(round, actors.policy(actor), random.stream(sequence), workers)));
      return new Rows(List.copyOf(draws.keySet()), responses, visits.groups(), new double[0]);
    }
  }

  /** All responses of every prompt, one group per prompt. */
  final class Enumerated implements RowSource {
    private final Rows all;

    private Enumerated(Task task, String owner) {
      List<Response> responses = new ArrayList<>();
      List<Integer> groups = new ArrayList<>();
      for (int prompt = 0; prompt < task.prompts(); prompt++) {
        List<Response> found = task.responses(prompt, MAXIMUM_ENUMERATED - responses.size());
        if (found.isEmpty()) {
          throw new ExperimentException(tooMany(task, owner));
        }
        for (Response response : found) {
          responses.add(response);
          groups.add(prompt);
        }
      }
      all = Rows.of(responses, groups.stream().mapToInt(Integer::intValue).toArray());
    }

    @Override
    public Rows rows(long round, Policy behaviour, Workers workers) {
      return all;
    }

    private static String tooMany(Task task, String owner) {
      if (!task.deterministic()) {
        return ("%s is estimated over all responses (`estimate with exact`), and the states of task"
                + " `%s` follow at random: use a sampling estimator")
            .formatted(owner, task.name());
      }
      double perPrompt = Responses.count(task.vocabulary(), task.maximumLength(), task.endToken());
      return ("%s is estimated over all responses (`estimate with exact`), at most %d; task `%s`"
              + " has up to %.4g responses to each of %d prompts: use a sampling estimator or a"
              + " smaller task")
          .formatted(owner, MAXIMUM_ENUMERATED, task.name(), perPrompt, task.prompts());
    }
  }

  /** Minibatches of the task's preference pairs. */
  final class Pairs implements RowSource {
    private final List<Pair> pairs;
    private final boolean grouped;
    private final Deck deck;

    private Pairs(Task task, String owner, int batch, boolean grouped, CounterRandom random) {
      pairs = task.pairs();
      this.grouped = grouped;
      if (pairs.isEmpty()) {
        throw new ExperimentException(
            "%s needs preference pairs, and task `%s` has none".formatted(owner, task.name()));
      }
      deck = new Deck(pairs.size(), batch, random);
    }

    @Override
    public Rows rows(long round, Policy behaviour, Workers workers) {
      return deck.deal(
          round,
          cards -> {
            List<Response> chosen =
                Arrays.stream(cards).mapToObj(i -> pairs.get(i).chosen()).toList();
            List<Response> rejected =
                Arrays.stream(cards).mapToObj(i -> pairs.get(i).rejected()).toList();
            int[] groups =
                grouped ? chosen.stream().mapToInt(Response::prompt).toArray() : new int[0];
            return new Rows(
                List.of("chosen", "rejected"),
                List.of(chosen, rejected),
                groups,
                new double[0],
                cards);
          });
    }
  }

  /** Minibatches of lists of the base policy's responses, in the order preferred. */
  final class RankedLists implements RowSource {
    private final List<String> sequences;
    private final List<List<Response>> lists;
    private final boolean grouped;
    private final Deck deck;

    private RankedLists(Task task, String owner, Training point, CounterRandom random) {
      sequences = point.kernel().signature().sequences();
      grouped = point.kernel().signature().grouped();
      ToDoubleFunction<Response> utility =
          task.utility()
              .orElseThrow(() ->
                  new ExperimentException(
                      "%s needs ranked lists, and task `%s` has no scores to rank by"
                          .formatted(owner, task.name())));
      lists = new RankedResponses(task, utility, sequences.size()).sample(random.stream("ranked"));
      deck = new Deck(lists.size(), point.batch(), random);
    }

    @Override
    public Rows rows(long round, Policy behaviour, Workers workers) {
      return deck.deal(
          round,
          cards -> {
            List<List<Response>> columns = new ArrayList<>();
            for (int rank = 0; rank < sequences.size(); rank++) {
              int place = rank;
              columns.add(
                  Arrays.stream(cards).mapToObj(card -> lists.get(card).get(place)).toList());
            }
            int[] groups =
                grouped
                    ? columns.getFirst().stream().mapToInt(Response::prompt).toArray()
                    : new int[0];
            return new Rows(sequences, columns, groups, new double[0]);
          });
    }
  }

  /** Minibatches of the task's labelled responses. */
  final class LabelledRows implements RowSource {
    private final List<Labelled> labelled;
    private final Deck deck;

    private LabelledRows(Task task, String owner, int batch, CounterRandom random) {
      labelled = task.labelled();
      if (labelled.isEmpty()) {
        throw new ExperimentException(
            "%s needs labelled responses, and task `%s` has none".formatted(owner, task.name()));
      }
      deck = new Deck(labelled.size(), batch, random);
    }

    @Override
    public Rows rows(long round, Policy behaviour, Workers workers) {
      return deck.deal(
          round,
          cards -> {
            List<Response> responses =
                Arrays.stream(cards).mapToObj(i -> labelled.get(i).response()).toList();
            double[] labels =
                Arrays.stream(cards)
                    .mapToDouble(i -> labelled.get(i).desirable() ? 1 : 0)
                    .toArray();
            return new Rows(
                List.of("y"),
                List.of(responses),
                responses.stream().mapToInt(Response::prompt).toArray(),
                labels);
          });
    }
  }

  /**
   * Deals the numbers of a data set: all of them each round, or hands of one size from a deck that
   * is shuffled before every pass. A hand may reach into the next pass, so all hands have one size.
   */
  final class Deck {
    private final int size;
    private final int hand;
    private final CounterRandom random;
    private long shuffledPass = -1;
    private int[] shuffled = new int[0];
    private final List<Rows> whole = new ArrayList<>(1);

    private Deck(int size, int batch, CounterRandom random) {
      this.size = size;
      this.random = random;
      hand = batch == 0 || batch >= size ? size : batch;
    }

    private Rows deal(long round, Function<int[], Rows> make) {
      if (hand == size) {
        if (whole.isEmpty()) {
          int[] all = new int[size];
          Arrays.setAll(all, i -> i);
          whole.add(make.apply(all));
        }
        return whole.getFirst();
      }
      int[] cards = new int[hand];
      for (int i = 0; i < hand; i++) {
        long position = round * hand + i;
        shuffle(position / size);
        cards[i] = shuffled[(int) (position % size)];
      }
      return make.apply(cards);
    }

    private void shuffle(long pass) {
      if (pass == shuffledPass) {
        return;
      }
      CounterRandom own = random.stream("order").stream(pass);
      int[] order = new int[size];
      for (int i = 0; i < size; i++) {
        int j = own.nextInt(i + 1);
        order[i] = order[j];
        order[j] = i;
      }
      shuffled = order;
      shuffledPass = pass;
    }
  }
}
