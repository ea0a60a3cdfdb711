package org.alignlang.runtime.policy;

import java.util.Arrays;
import org.alignlang.runtime.random.CounterRandom;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * A small language model: the embeddings of the last {@code context} tokens and of the prompt,
 * concatenated, go through one tanh layer to logits (Bengio et al., "A Neural Probabilistic
 * Language Model", JMLR 2003, without the direct connections). Before the first token stands a
 * start token of its own, so early positions can be told from late ones.
 *
 * <p>Parameters: token embeddings {@code [vocabulary + 1, embedding]}, prompt embeddings {@code
 * [prompts, embedding]}, then hidden weights {@code [hidden, (context + 1) * embedding]}, hidden
 * biases, output weights {@code [vocabulary, hidden]}, output biases.
 */
public final class Autoregressive implements Policy, Trunk {
  private final int vocabulary;
  private final int context;
  private final int embedding;
  private final int promptStart;
  private final TanhNetwork network;
  private final double[] parameters;

  private Autoregressive(
      int vocabulary,
      int context,
      int embedding,
      int promptStart,
      TanhNetwork network,
      double[] parameters) {
    this.vocabulary = vocabulary;
    this.context = context;
    this.embedding = embedding;
    this.promptStart = promptStart;
    this.network = network;
    this.parameters = parameters;
  }

  /**
   * The sizes of a model.
   *
   * @param prompts how many prompts there are
   * @param vocabulary how many tokens there are
   * @param context how many of the latest tokens are seen
   * @param embedding the length of an embedding
   * @param hidden the size of the hidden layer
   */
  public record Shape(int prompts, int vocabulary, int context, int embedding, int hidden) {}

  /**
   * A model with standard normal embeddings, weights of variance 1 / inputs and biases of 0.
   *
   * @param outputScale factor on the output weights; with 0 all logits start at 0
   * @param random where the parameters come from
   */
  public static Autoregressive random(Shape shape, double outputScale, CounterRandom random) {
    int promptStart = (shape.vocabulary() + 1) * shape.embedding();
    int embeddings = promptStart + shape.prompts() * shape.embedding();
    int[] sizes = {(shape.context() + 1) * shape.embedding(), shape.hidden(), shape.vocabulary()};
    TanhNetwork network = new TanhNetwork(embeddings, sizes);
    double[] parameters = new double[embeddings + network.parameterCount()];
    ZigguratSampler.NormalizedGaussian normal =
        ZigguratSampler.NormalizedGaussian.of(random.stream("embeddings"));
    for (int i = 0; i < embeddings; i++) {
      parameters[i] = normal.sample();
    }
    network.initialise(parameters, random.stream("layers"), outputScale);
    return new Autoregressive(
        shape.vocabulary(), shape.context(), shape.embedding(), promptStart, network, parameters);
  }

  @Override
  public int vocabulary() {
    return vocabulary;
  }

  @Override
  public double[] parameters() {
    return parameters;
  }

  @Override
  public void logits(int prompt, int[] tokens, int length, double[] logits) {
    double[] out = network.forward(parameters, input(prompt, tokens, length))[2];
    System.arraycopy(out, 0, logits, 0, vocabulary);
  }

  @Override
  public void backward(
      int prompt, int[] tokens, int length, double[] logitGradient, double[] parameterGradient) {
    double[][] outputs = network.forward(parameters, input(prompt, tokens, length));
    double[] gradient = network.backward(parameters, outputs, logitGradient, parameterGradient);
    toEmbeddings(prompt, tokens, length, gradient, parameterGradient);
  }

  @Override
  public int width() {
    return network.lastHidden();
  }

  @Override
  public double[] hidden(int prompt, int[] tokens, int length) {
    return TanhNetwork.lastHidden(network.forward(parameters, input(prompt, tokens, length)));
  }

  @Override
  public void backwardHidden(
      int prompt, int[] tokens, int length, double[] hiddenGradient, double[] parameterGradient) {
    double[][] outputs = network.forward(parameters, input(prompt, tokens, length));
    double[] gradient =
        network.backwardHidden(parameters, outputs, hiddenGradient, parameterGradient);
    toEmbeddings(prompt, tokens, length, gradient, parameterGradient);
  }

  private void toEmbeddings(
      int prompt, int[] tokens, int length, double[] gradient, double[] parameterGradient) {
    for (int slot = 0; slot <= context; slot++) {
      int start = slotStart(slot, prompt, tokens, length);
      for (int i = 0; i < embedding; i++) {
        parameterGradient[start + i] += gradient[slot * embedding + i];
      }
    }
  }

  @Override
  public Policy copy() {
    return new Autoregressive(
        vocabulary,
        context,
        embedding,
        promptStart,
        network,
        Arrays.copyOf(parameters, parameters.length));
  }

  private double[] input(int prompt, int[] tokens, int length) {
    double[] input = new double[(context + 1) * embedding];
    for (int slot = 0; slot <= context; slot++) {
      System.arraycopy(
          parameters, slotStart(slot, prompt, tokens, length), input, slot * embedding, embedding);
    }
    return input;
  }

  /**
   * Where the embedding of an input slot begins: slots 0 to context - 1 are tokens, latest first.
   */
  private int slotStart(int slot, int prompt, int[] tokens, int length) {
    if (slot == context) {
      return promptStart + prompt * embedding;
    }
    int token = slot < length ? tokens[length - 1 - slot] : vocabulary;
    return token * embedding;
  }
}
