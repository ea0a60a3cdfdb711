package org.alignlang.runtime.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Signature.Input;
import org.alignlang.kernel.Signature.Role;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.argument.Names;
import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.experiment.ExperimentPlan.Component;
import org.alignlang.runtime.optimizer.Optimizer;
import org.alignlang.runtime.optimizer.Optimizers;
import org.alignlang.runtime.policy.Policies;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.StateTable;
import org.alignlang.runtime.policy.TrunkOutput;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Response;

/**
 * The blocks that are trained beside the policy, each with its own optimiser.
 *
 * <ul>
 *   <li>{@code table(init = 0)}: one number per state; the default of blocks per token or sequence
 *   <li>{@code table(of = "message")}: one number for each value of a score that the task gives as
 *       whole numbers from 0, per token or per sequence as the block is
 *   <li>{@code table(of = "prompt")}: one number for each prompt
 *   <li>{@code linear()}, {@code mlp(hidden = [32])}: of the task's state features
 *   <li>{@code head()}: linear in the last hidden layer of the policy's network. The gradient goes
 *       on into the hidden layers, which the policy's optimiser moves by the sum of all
 *   <li>{@code number(init = 0)}: one number; the default, and the only form, of blocks per batch
 * </ul>
 *
 * <p>Every form takes {@code optimizer = adam(rate = 0.05)}; without it a block has an optimiser
 * like the policy's. A block per token sees the prompt and the tokens before, one per sequence the
 * whole response; where responses visit states, the state before the token, or the last one.
 */
final class LearnedBlocks {
  /** What a table has entries for that is no score. */
  private static final String PROMPT = "prompt";

  private static final List<String> FORMS = List.of("table", "linear", "mlp", "head", "number");

  /**
   * What a block sees of a response: states, or the values of a score.
   *
   * @param values the score's values, one per token or one in all; empty for states
   */
  record Sight(Response response, double[] values) {
    private static final int[] NONE = new int[0];

    /**
     * Looks at a response.
     *
     * @param of the score whose values are seen, empty for states
     * @throws ExperimentException if the score is not what a table has entries for
     */
    static Sight of(Task task, String of, boolean perToken, Response response) {
      if (of.isEmpty()) {
        return new Sight(response, new double[0]);
      }
      if (isPrompt(of, task)) {
        return new Sight(response, new double[] {response.prompt()});
      }
      double[] values = task.score(of, response);
      int entries = task.values(of);
      if (values.length != (perToken ? response.length() : 1)) {
        throw new ExperimentException(
            "score `%s` of task `%s` gives %d numbers for the response `%s`"
                .formatted(of, task.name(), values.length, task.show(response)));
      }
      for (double value : values) {
        if (value != Math.rint(value) || value < 0 || value >= entries) {
          throw new ExperimentException(
              "score `%s` of task `%s` is %s, not a whole number below %d, for the response `%s`"
                  .formatted(of, task.name(), value, entries, task.show(response)));
        }
      }
      return new Sight(response, values);
    }

    /** What the network gives after {@code t} tokens. */
    void ask(Policy network, int t, double[] out) {
      if (values.length > 0) {
        network.logits(entry(t), NONE, 0, out);
      } else {
        network.logits(response.promptAt(t), response.tokens(), response.seenAt(t), out);
      }
    }

    /** Adds the gradient of what the network gives after {@code t} tokens. */
    void tell(Policy network, int t, double[] gradient, double[] parameterGradient) {
      if (values.length > 0) {
        network.backward(entry(t), NONE, 0, gradient, parameterGradient);
      } else {
        network.backward(
            response.promptAt(t),
            response.tokens(),
            response.seenAt(t),
            gradient,
            parameterGradient);
      }
    }

    /** Adds the gradient of what a head gives after {@code t} tokens to that of its policy. */
    void tellTrunk(TrunkOutput head, int t, double gradient, double[] policyGradient) {
      head.backwardTrunk(
          response.promptAt(t), response.tokens(), response.seenAt(t), gradient, policyGradient);
    }

    private int entry(int t) {
      return (int) values[Math.min(t, values.length - 1)];
    }
  }

  /** A block: its network, what it sees, its optimiser, and the inputs that it gives. */
  private static final class Block {
    final Policy network;
    final String of;
    final Policy sampled;
    final Optimizer optimizer;
    final List<Input> inputs = new ArrayList<>();
    final double[] gradient;

    Block(Policy network, String of, Optimizer optimizer) {
      this.network = network;
      this.of = of;
      this.sampled = network.copy();
      this.optimizer = optimizer;
      gradient = new double[network.parameters().length];
    }
  }

  private final Task task;
  private final Map<String, Block> blocks = new TreeMap<>();

  private LearnedBlocks(Task task) {
    this.task = task;
  }

  /**
   * Makes the blocks of an objective.
   *
   * @param forms what blocks are, by name; those that are left out have their default form
   * @param policyOptimizer the optimiser of the policy
   * @param networks the networks that exist already, by name, to which new ones are added
   * @param policy the policy that the objective trains, if it trains one
   * @throws ExperimentException for an unknown form, an argument that does not fit, or a task that
   *     lacks what the form needs
   */
  static LearnedBlocks of(
      Signature signature,
      Map<String, Component> forms,
      Component policyOptimizer,
      Task task,
      LearnedScores.Networks networks,
      Optional<Policy> policy,
      long seed) {
    LearnedBlocks made = new LearnedBlocks(task);
    for (Input input : signature.inputs()) {
      if (input.role() == Role.LEARNED) {
        String name = Signature.block(input);
        Block block = made.blocks.get(name);
        if (block == null) {
          String standard = input.level() == Level.BATCH ? "number" : "table";
          Component form =
              forms.getOrDefault(name, new Component(standard, Map.of(), policyOptimizer.place()));
          block = block(name, input.level(), form, policyOptimizer, task, networks, policy, seed);
          made.blocks.put(name, block);
        }
        block.inputs.add(input);
      }
    }
    return made;
  }

  private static Block block(
      String name,
      Level level,
      Component form,
      Component policyOptimizer,
      Task task,
      LearnedScores.Networks networks,
      Optional<Policy> policy,
      long seed) {
    try {
      Arguments read = Arguments.of("block", form.name(), form.arguments());
      if (!FORMS.contains(form.name())) {
        throw Names.unknown("form of a block", form.name(), FORMS);
      }
      if (level == Level.PAIR || level == Level.GROUP) {
        throw new IllegalArgumentException(
            "an experiment has no block per %s: declare it per sequence".formatted(level.word()));
      }
      if ((level == Level.BATCH) != form.name().equals("number")) {
        throw new IllegalArgumentException(
            level == Level.BATCH
                ? "`%s` is one number per batch: its form is `number()`".formatted(name)
                : "`number()` is for blocks per batch, and `%s` is one per %s"
                    .formatted(name, level.word()));
      }
      Map<String, Object> network = new LinkedHashMap<>(form.arguments());
      Object optimizer = network.remove("optimizer");
      Component chosen =
          optimizer instanceof Component given
              ? given
              : policyOptimizer.name().equals("natural")
                  ? new Component("adam", Map.of(), form.place())
                  : policyOptimizer;
      if (optimizer != null && !(optimizer instanceof Component)) {
        throw read.wrong("optimizer", "an optimiser such as `adam(rate = 0.05)`", optimizer);
      }
      String of = form.name().equals("table") ? of(name, level, read, task) : "";
      Policy made =
          networks.get(
              name,
              level,
              of,
              () -> network(name, level, form.name(), network, task, policy, seed));
      if (made instanceof TrunkOutput head && !policy.map(head::standsOn).orElse(false)) {
        throw new IllegalArgumentException(
            "`%s` is a head of the policy that another objective trains".formatted(name));
      }
      return new Block(made, of, Optimizers.create(chosen.name(), chosen.arguments()));
    } catch (IllegalArgumentException e) {
      throw new ExperimentException(form.place() + ": " + e.getMessage(), e);
    }
  }

  /** The score whose values a table has entries for; empty if it has them for states. */
  private static String of(String name, Level level, Arguments read, Task task) {
    String of = read.text("of").orElse("");
    if (of.isEmpty() || isPrompt(of, task)) {
      return of;
    }
    List<String> tabled =
        task.scores().stream()
            .filter(
                score -> task.values(score) > 0 && task.perToken(score) == (level == Level.TOKEN))
            .toList();
    if (!tabled.contains(of)) {
      throw new IllegalArgumentException(
          ("`%s`, a block per %s, cannot be a table of `%s`: task `%s` has %s per %s whose values"
                  + " are whole numbers")
              .formatted(
                  name,
                  level.word(),
                  of,
                  task.name(),
                  tabled.isEmpty() ? "no scores" : Names.quoted(tabled),
                  level.word()));
    }
    return of;
  }

  /** Whether a table has an entry for each prompt; a task's own score of that name comes first. */
  private static boolean isPrompt(String of, Task task) {
    return of.equals(PROMPT) && !task.scores().contains(PROMPT);
  }

  private static Policy network(
      String name,
      Level level,
      String form,
      Map<String, Object> arguments,
      Task task,
      Optional<Policy> policy,
      long seed) {
    return switch (form) {
      case "table", "number" -> {
        Arguments read = Arguments.of("block", form, arguments);
        double init = read.real("init", 0, -Double.MAX_VALUE, Double.MAX_VALUE);
        String of = form.equals("table") ? of(name, level, read, task) : "";
        read.requireAllRead();
        if (form.equals("number")) {
          yield StateTable.filled(1, 1, 0, init);
        }
        yield of.isEmpty()
            ? StateTable.filled(task.contexts(), task.vocabulary(), task.memory(), init)
            : StateTable.filled(isPrompt(of, task) ? task.contexts() : task.values(of), 1, 0, init);
      }
      default -> {
        if (level == Level.SEQUENCE && task.maximumLength() == 1) {
          throw new IllegalArgumentException(
              "task `%s` has no features of whole responses; use `table()`".formatted(task.name()));
        }
        if (form.equals("head")) {
          Arguments.of("block", form, arguments).requireAllRead();
          yield TrunkOutput.on(
              policy.orElseThrow(() ->
                  new IllegalArgumentException(
                      "`%s` cannot be a head: its objective trains no policy".formatted(name))));
        }
        yield Policies.valueNetwork(form, arguments, task, seed, name);
      }
    };
  }

  /** A batch is about to be drawn: what blocks give now is what they gave when it was. */
  void beginRound() {
    for (Block block : blocks.values()) {
      double[] now = block.network.parameters();
      System.arraycopy(now, 0, block.sampled.parameters(), 0, now.length);
      if (block.network instanceof TrunkOutput head && block.sampled instanceof TrunkOutput then) {
        double[] hidden = head.trunkParameters();
        System.arraycopy(hidden, 0, then.trunkParameters(), 0, hidden.length);
      }
    }
  }

  /** Fills in what the blocks give. */
  void fill(Batch batch, Rows rows) {
    double[] out = new double[1];
    for (Block block : blocks.values()) {
      for (Input input : block.inputs) {
        Policy network = input.trained() ? block.network : block.sampled;
        double[] column = batch.column(input.name());
        visit(
            block,
            input,
            batch,
            rows,
            (sight, t, index) -> {
              sight.ask(network, t, out);
              column[index] = out[0];
            });
      }
    }
  }

  /** One step of every block's optimiser along its {@link #gradients}, but of those held. */
  void step(Map<String, double[]> gradients, Set<String> held, long step) {
    gradients.forEach((name, gradient) -> {
      if (!held.contains(name)) {
        move(name, gradient, step);
      }
    });
  }

  /** One step of a block's optimiser along a gradient. */
  void move(String name, double[] gradient, long step) {
    Block block = blocks.get(name);
    if (block == null) {
      throw new IllegalArgumentException("no block `" + name + "`");
    }
    block.optimizer.step(block.network.parameters(), gradient, step);
  }

  /** The kernel's gradients with respect to the blocks' parameters; reused by the next call. */
  Map<String, double[]> gradients(Batch batch, Rows rows, Evaluation evaluation) {
    Map<String, double[]> gradients = new TreeMap<>();
    double[] one = new double[1];
    blocks.forEach((name, block) -> {
      Arrays.fill(block.gradient, 0);
      backward(
          block,
          batch,
          rows,
          evaluation,
          (sight, t, upstream) -> {
            one[0] = upstream;
            sight.tell(block.network, t, one, block.gradient);
          });
      gradients.put(name, block.gradient);
    });
    return gradients;
  }

  /** Adds the kernel's gradients of heads with respect to the parameters of the policy. */
  void addToPolicy(Batch batch, Rows rows, Evaluation evaluation, double[] policyGradient) {
    for (Block block : blocks.values()) {
      if (block.network instanceof TrunkOutput head) {
        backward(
            block,
            batch,
            rows,
            evaluation,
            (sight, t, upstream) -> sight.tellTrunk(head, t, upstream, policyGradient));
      }
    }
  }

  /** Receives what a block saw, and the kernel's gradient for what it said of that. */
  private interface Upstream {
    void at(Sight sight, int t, double gradient);
  }

  private void backward(
      Block block, Batch batch, Rows rows, Evaluation evaluation, Upstream upstream) {
    for (Input input : block.inputs) {
      if (input.trained()) {
        double[] column = evaluation.gradient(input.name());
        visit(block, input, batch, rows, (sight, t, i) -> upstream.at(sight, t, column[i]));
      }
    }
  }

  /** Receives what a block sees, and the entry of the column that belongs to it. */
  private interface Visitor {
    void at(Sight sight, int t, int index);
  }

  private void visit(Block block, Input input, Batch batch, Rows rows, Visitor visitor) {
    if (input.level() == Level.BATCH) {
      visitor.at(new Sight(new Response(0, new int[0], 0), new double[0]), 0, 0);
      return;
    }
    List<Response> responses = rows.of(BatchAssembler.sequence(input));
    int[] offsets = batch.offsets(BatchAssembler.sequence(input));
    for (int row = 0; row < responses.size(); row++) {
      Response response = responses.get(row);
      boolean perToken = input.level() == Level.TOKEN;
      Sight sight = Sight.of(task, block.of, perToken, response);
      if (perToken) {
        for (int t = 0; t < response.length(); t++) {
          visitor.at(sight, t, offsets[row] + t);
        }
      } else {
        visitor.at(sight, response.length(), row);
      }
    }
  }

  /** A copy of all numbers that change, by name. */
  Map<String, double[]> state() {
    Map<String, double[]> state = new LinkedHashMap<>();
    blocks.forEach((name, block) -> {
      state.put("block " + name, block.network.parameters().clone());
      state.put("block " + name + " sampled", block.sampled.parameters().clone());
      state.put("block " + name + " optimizer", block.optimizer.state().clone());
      if (block.sampled instanceof TrunkOutput then) {
        state.put("block " + name + " trunk", then.trunkParameters().clone());
      }
    });
    return state;
  }

  /**
   * Goes on from a state.
   *
   * @throws IllegalArgumentException if it does not fit
   */
  void restore(Function<String, double[]> saved) {
    blocks.forEach((name, block) -> {
      copy(saved.apply("block " + name), block.network.parameters(), name);
      copy(saved.apply("block " + name + " sampled"), block.sampled.parameters(), name);
      block.optimizer.restore(saved.apply("block " + name + " optimizer"));
      if (block.sampled instanceof TrunkOutput then) {
        copy(saved.apply("block " + name + " trunk"), then.trunkParameters(), name);
      }
    });
  }

  private static void copy(double[] from, double[] to, String name) {
    if (from.length != to.length) {
      throw new IllegalArgumentException(
          "block `%s` has %d numbers, not %d".formatted(name, from.length, to.length));
    }
    System.arraycopy(from, 0, to, 0, to.length);
  }
}
