package org.alignlang.runtime.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Response;
import org.alignlang.runtime.task.Tasks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PoliciesTest {

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          softmax_table,,true
          softmax_table,,false
          linear,state,true
          linear,action,true
          linear,action,false
          mlp,state,true
          mlp,action,true
          mlp,state,false
          autoregressive,,true
          autoregressive,,false
          """)
  void backwardIsTheDerivativeOfLogits(String name, String features, boolean relative) {
    Task task = new Words(3, 4, 3);
    Map<String, Object> arguments = new HashMap<>(Map.of("relative", relative));
    if (features != null) {
      arguments.put("features", features);
    }
    Policy policy = Policies.create(name, arguments, task, 5);
    CounterRandom random = CounterRandom.of(11);
    double[] parameters = policy.parameters();
    for (int i = 0; i < parameters.length; i++) {
      parameters[i] += 0.5 * (random.nextDouble() - 0.5);
    }
    int[] tokens = {2, 1, 0};
    for (int length = 0; length < 3; length++) {
      double[] weights = random.doubles(policy.vocabulary()).toArray();
      double[] gradient = new double[parameters.length];
      policy.backward(1, tokens, length, weights, gradient);
      for (int i = 0; i < parameters.length; i++) {
        double kept = parameters[i];
        parameters[i] = kept + 1e-5;
        double above = weighted(policy, tokens, length, weights);
        parameters[i] = kept - 1e-5;
        double below = weighted(policy, tokens, length, weights);
        parameters[i] = kept;
        assertThat(gradient[i])
            .as("parameter %d at length %d", i, length)
            .isCloseTo((above - below) / 2e-5, offset(1e-8));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"mlp,true", "mlp,false", "autoregressive,true"})
  void aHeadHasAGradientOfItsOwnAndOneThatGoesIntoThePolicy(String name, boolean relative) {
    Map<String, Object> arguments = new HashMap<>(Map.of("relative", relative));
    if (name.equals("mlp")) {
      arguments.put("features", "state");
      arguments.put("hidden", List.of(5.0, 4.0));
    }
    Policy policy = Policies.create(name, arguments, new Words(3, 4, 3), 5);
    TrunkOutput head = TrunkOutput.on(policy);
    CounterRandom random = CounterRandom.of(12);
    Arrays.setAll(head.parameters(), i -> random.nextDouble() - 0.5);
    int[] tokens = {2, 1, 0};
    double[] own = new double[head.parameters().length];
    double[] ofPolicy = new double[policy.parameters().length];
    head.backward(1, tokens, 2, new double[] {0.7}, own);
    head.backwardTrunk(1, tokens, 2, 0.7, ofPolicy);
    assertIsTheDerivative(head, head.parameters(), tokens, own);
    assertIsTheDerivative(head, policy.parameters(), tokens, ofPolicy);
    assertThat(Arrays.stream(ofPolicy).anyMatch(g -> g != 0)).isTrue();
    TrunkOutput copy = head.copy();
    policy.parameters()[0] += 1;
    assertThat(copy.trunkParameters()[0]).isNotEqualTo(policy.parameters()[0]);
  }

  private static void assertIsTheDerivative(
      TrunkOutput head, double[] parameters, int[] tokens, double[] gradient) {
    for (int i = 0; i < parameters.length; i++) {
      double kept = parameters[i];
      parameters[i] = kept + 1e-5;
      double above = 0.7 * value(head, tokens);
      parameters[i] = kept - 1e-5;
      double below = 0.7 * value(head, tokens);
      parameters[i] = kept;
      assertThat(gradient[i]).as("parameter %d", i).isCloseTo((above - below) / 2e-5, offset(1e-8));
    }
  }

  private static double value(TrunkOutput head, int[] tokens) {
    double[] out = new double[1];
    head.logits(1, tokens, 2, out);
    return out[0];
  }

  /** The gradient of a response's log-probability, for every policy on every kind of task. */
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          bandit,softmax_table
          bandit,linear
          bandit,mlp
          bandit,autoregressive
          gold_proxy,softmax_table
          gold_proxy,linear
          gold_proxy,mlp
          gold_proxy,autoregressive
          sequences,softmax_table
          sequences,linear
          sequences,mlp
          sequences,autoregressive
          text,linear
          text,mlp
          text,autoregressive
          """)
  void everyPolicyTakesGradientsOnEveryTask(String name, String policyName) {
    Map<String, Object> sizes =
        switch (name) {
          case "gold_proxy" -> Map.of("arms", 6, "prompts", 2, "features", 3, "pairs", 20);
          case "text" -> Map.of("length", 4, "prompts", 2);
          default -> Map.of("prompts", 2);
        };
    Task task = Tasks.create(name, sizes, Path.of("."), 2);
    Policy policy = Policies.create(policyName, Map.of(), task, 5);
    CounterRandom random = CounterRandom.of(11);
    double[] parameters = policy.parameters();
    for (int i = 0; i < parameters.length; i++) {
      parameters[i] += 0.5 * (random.nextDouble() - 0.5);
    }
    Response response = Responses.sample(policy, task, 1, random);
    double[] weights = random.doubles(response.length()).toArray();
    double[] gradient = new double[parameters.length];
    Responses.addScore(policy, response, weights, gradient);
    assertThat(Arrays.stream(gradient)).anyMatch(g -> g != 0);
    int stride = 1 + parameters.length / 500;
    for (int i = 0; i < parameters.length; i += stride) {
      double kept = parameters[i];
      parameters[i] = kept + 1e-5;
      double above = weightedScore(policy, response, weights);
      parameters[i] = kept - 1e-5;
      double below = weightedScore(policy, response, weights);
      parameters[i] = kept;
      assertThat(gradient[i]).as("parameter %d", i).isCloseTo((above - below) / 2e-5, offset(1e-7));
    }
  }

  private static double weightedScore(Policy policy, Response response, double[] weights) {
    double[] logProbabilities = Responses.tokenLogProbabilities(policy, response);
    double sum = 0;
    for (int t = 0; t < weights.length; t++) {
      sum += weights[t] * logProbabilities[t];
    }
    return sum;
  }

  private static double weighted(Policy policy, int[] tokens, int length, double[] weights) {
    double[] logits = new double[policy.vocabulary()];
    policy.logits(1, tokens, length, logits);
    double sum = 0;
    for (int v = 0; v < logits.length; v++) {
      sum += weights[v] * logits[v];
    }
    return sum;
  }

  @ParameterizedTest
  @CsvSource({"softmax_table", "linear", "mlp", "autoregressive"})
  void aRelativePolicyStartsAtTheBase(String name) {
    Task task = new Words(3, 4, 3);
    Policy policy = Policies.create(name, Map.of(), task, 1);
    List<Response> all = task.responses(2, 1000);
    assertThat(Responses.logProbabilities(policy, all))
        .containsExactly(Responses.logProbabilities(task.base(), all));
  }

  @ParameterizedTest
  @CsvSource({"softmax_table", "linear", "mlp", "autoregressive"})
  void aCopyHasItsOwnParameters(String name) {
    Task task = new Words(2, 3, 2);
    Policy policy = Policies.create(name, Map.of("relative", false), task, 1);
    Policy copy = policy.copy();
    assertThat(copy.parameters()).containsExactly(policy.parameters());
    policy.parameters()[0] += 1;
    assertThat(copy.parameters()).isNotEqualTo(policy.parameters());
  }

  @Test
  void theSameSeedGivesTheSameWeights() {
    Task task = new Words(2, 3, 2);
    Policy first = Policies.create("autoregressive", Map.of(), task, 4);
    assertThat(Policies.create("autoregressive", Map.of(), task, 4).parameters())
        .containsExactly(first.parameters());
    assertThat(Policies.create("autoregressive", Map.of(), task, 5).parameters())
        .isNotEqualTo(first.parameters());
  }

  @Test
  void probabilitiesOfAllResponsesSumToOne() {
    Task task = new Words(2, 4, 3);
    Policy policy = Policies.create("autoregressive", Map.of("relative", false), task, 4);
    List<Response> all = task.responses(1, 1000);
    assertThat(all).hasSize((int) Responses.count(4, 3, 0)).hasSize(1 + 3 + 9 + 27);
    assertThat(Responses.logSumExp(Responses.logProbabilities(policy, all)))
        .isCloseTo(0, offset(1e-14));
    for (int i = 0; i < all.size(); i++) {
      assertThat(Responses.logProbabilities(policy, all)[i])
          .isEqualTo(Responses.logProbability(policy, all.get(i)));
    }
  }

  @Test
  void samplesFollowTheProbabilities() {
    Task task = new Words(2, 4, 3);
    Policy policy = Policies.create("autoregressive", Map.of("relative", false), task, 4);
    List<Response> all = task.responses(1, 1000);
    double[] logProbabilities = Responses.logProbabilities(policy, all);
    int count = 40_000;
    long[] observed = new long[all.size()];
    CounterRandom random = CounterRandom.of(3);
    List<String> shown = all.stream().map(task::show).toList();
    for (int i = 0; i < count; i++) {
      observed[shown.indexOf(task.show(Responses.sample(policy, task, 1, random.stream(i))))]++;
    }
    double chiSquare = 0;
    for (int y = 0; y < observed.length; y++) {
      double expected = count * Math.exp(logProbabilities[y]);
      chiSquare += (observed[y] - expected) * (observed[y] - expected) / expected;
    }
    // Mean 39 and standard deviation sqrt(78) under the hypothesis.
    assertThat(chiSquare).isLessThan(39 + 5 * Math.sqrt(78));
  }

  @Test
  void theScoreIsTheGradientOfTheLogProbability() {
    Task task = new Words(2, 4, 3);
    Policy policy = Policies.create("autoregressive", Map.of("relative", false), task, 4);
    Response response = new Response(1, new int[] {2, 3, 1}, 3);
    double[] parameters = policy.parameters();
    double[] gradient = new double[parameters.length];
    Responses.addScore(policy, response, new double[] {1, 1, 1}, gradient);
    for (int i = 0; i < parameters.length; i++) {
      double kept = parameters[i];
      parameters[i] = kept + 1e-5;
      double above = Responses.logProbability(policy, response);
      parameters[i] = kept - 1e-5;
      double below = Responses.logProbability(policy, response);
      parameters[i] = kept;
      assertThat(gradient[i]).isCloseTo((above - below) / 2e-5, offset(1e-8));
    }
  }

  @Test
  void softmaxIsStableAndTakesTokensOfProbabilityZero() {
    double[] logits = {1e300, 1e300, Double.NEGATIVE_INFINITY};
    Responses.logSoftmax(logits);
    assertThat(logits).containsExactly(-Math.log(2), -Math.log(2), Double.NEGATIVE_INFINITY);
    for (double u = 0; u < 1; u += 0.01) {
      assertThat(Responses.draw(logits, u)).isLessThan(2);
    }
    assertThat(Responses.draw(new double[] {Double.NEGATIVE_INFINITY, 0}, 0)).isEqualTo(1);
    assertThatThrownBy(() -> Responses.logSoftmax(new double[] {0, Double.NaN}))
        .isInstanceOf(ArithmeticException.class);
  }

  @Test
  void complaintsNameThePolicyAndTheArgument() {
    Task task = new Words(2, 3, 2);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Policies.create("softmax", Map.of(), task, 0))
        .withMessage(
            "there is no policy `softmax`; known: `autoregressive`, `linear`, `mlp`,"
                + " `softmax_table`");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Policies.create("lineal", Map.of(), task, 0))
        .withMessageContaining("did you mean `linear`?");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Policies.create("mlp", Map.of("hiden", 3.0), task, 0))
        .withMessage(
            "policy `mlp` has no argument `hiden`; did you mean `hidden`?; known: `features`,"
                + " `hidden`, `relative`, `start_alike`");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Policies.create("mlp", Map.of("hidden", List.of(8.0, 0.5)), task, 0))
        .withMessage(
            "argument `hidden` of policy `mlp` must be a whole number from 1 to 4096, not 0.5");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Policies.create("mlp", Map.of("relative", "yes"), task, 0))
        .withMessage("argument `relative` of policy `mlp` must be true or false, not \"yes\"");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TrunkOutput.on(Policies.create("linear", Map.of(), task, 0)))
        .withMessageContaining("stands on the hidden layer of the policy");
    Task bandit = Tasks.create("bandit", Map.of(), Path.of("."), 0);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Policies.create("linear", Map.of("features", "action"), bandit, 0))
        .withMessageContaining("policy `linear` needs action features")
        .withMessageContaining("linear(features = \"state\")");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Policies.create("softmax_table", Map.of(), new Words(4, 50, 8), 0))
        .withMessageContaining("autoregressive");
  }

  /** Token sequences with an end token 0, a random base and both kinds of features. */
  private record Words(int prompts, int vocabulary, int maximumLength, Policy base)
      implements Task {
    Words(int prompts, int vocabulary, int maximumLength) {
      this(
          prompts,
          vocabulary,
          maximumLength,
          Autoregressive.random(
              new Autoregressive.Shape(prompts, vocabulary, 2, 3, 4), 1, CounterRandom.of(99)));
    }

    @Override
    public String name() {
      return "words";
    }

    @Override
    public int endToken() {
      return 0;
    }

    @Override
    public Set<String> scores() {
      return Set.of();
    }

    @Override
    public double[] score(String score, Response response) {
      throw new IllegalArgumentException(score);
    }

    @Override
    public double[] features(int prompt, int[] tokens, int length) {
      return CounterRandom.of(prompt).stream(
              Arrays.stream(tokens).limit(length).asLongStream().toArray())
          .doubles(3)
          .toArray();
    }

    @Override
    public double[] actionFeatures(int prompt, int[] tokens, int length, int token) {
      return CounterRandom.of(prompt).stream(length, token).doubles(4).toArray();
    }

    @Override
    public List<Response> responses(int prompt, int limit) {
      return Responses.enumerate(prompt, vocabulary, maximumLength, endToken(), limit);
    }
  }
}
