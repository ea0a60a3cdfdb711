package org.alignlang.runtime.policy;

import java.util.Arrays;
import java.util.Optional;
import org.alignlang.runtime.random.CounterRandom;

/**
 * A network with tanh hidden layers. Over state features it gives all logits of a state at once;
 * over action features one network of a single output scores every token.
 *
 * <p>Parameters: layer by layer, weights {@code [outputs, inputs]} then biases {@code [outputs]}.
 */
public final class MultilayerPerceptron implements Policy {
  private final Features features;
  private final int vocabulary;
  private final TanhNetwork network;
  private final double[] parameters;

  private MultilayerPerceptron(
      Features features, int vocabulary, TanhNetwork network, double[] parameters) {
    this.features = features;
    this.vocabulary = vocabulary;
    this.network = network;
    this.parameters = parameters;
  }

  /**
   * A network with random weights, normal with variance 1 / inputs, and biases of 0.
   *
   * @param hidden the sizes of the hidden layers
   * @param outputScale factor on the last layer's weights; with 0 all logits start at 0
   * @param random where the weights come from
   */
  public static MultilayerPerceptron random(
      Features features, int vocabulary, int[] hidden, double outputScale, CounterRandom random) {
    int[] sizes = new int[hidden.length + 2];
    sizes[0] = features.dimension();
    System.arraycopy(hidden, 0, sizes, 1, hidden.length);
    sizes[sizes.length - 1] =
        switch (features) {
          case Features.OfAction _ -> 1;
          case Features.OfState _ -> vocabulary;
        };
    TanhNetwork network = new TanhNetwork(0, sizes);
    double[] parameters = new double[network.parameterCount()];
    network.initialise(parameters, random, outputScale);
    return new MultilayerPerceptron(features, vocabulary, network, parameters);
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
    switch (features) {
      case Features.OfAction action -> {
        double[][] rows = action.at(prompt, tokens, length);
        for (int v = 0; v < vocabulary; v++) {
          logits[v] = output(network.forward(parameters, rows[v]))[0];
        }
      }
      case Features.OfState state -> {
        double[] out = output(network.forward(parameters, state.at(prompt, tokens, length)));
        System.arraycopy(out, 0, logits, 0, vocabulary);
      }
    }
  }

  @Override
  public void backward(
      int prompt, int[] tokens, int length, double[] logitGradient, double[] parameterGradient) {
    switch (features) {
      case Features.OfAction action -> {
        double[][] rows = action.at(prompt, tokens, length);
        for (int v = 0; v < vocabulary; v++) {
          if (logitGradient[v] != 0) {
            network.backward(
                parameters,
                network.forward(parameters, rows[v]),
                new double[] {logitGradient[v]},
                parameterGradient);
          }
        }
      }
      case Features.OfState state ->
          network.backward(
              parameters,
              network.forward(parameters, state.at(prompt, tokens, length)),
              logitGradient,
              parameterGradient);
    }
  }

  @Override
  public Policy copy() {
    return new MultilayerPerceptron(
        features, vocabulary, network, Arrays.copyOf(parameters, parameters.length));
  }

  /** The hidden layers, where they are of states and there are any. */
  Optional<Trunk> trunk() {
    return features instanceof Features.OfState state && network.sizes().length > 2
        ? Optional.of(new HiddenLayers(state))
        : Optional.empty();
  }

  private final class HiddenLayers implements Trunk {
    private final Features.OfState state;

    private HiddenLayers(Features.OfState state) {
      this.state = state;
    }

    @Override
    public int width() {
      return network.lastHidden();
    }

    @Override
    public double[] hidden(int prompt, int[] tokens, int length) {
      return TanhNetwork.lastHidden(network.forward(parameters, state.at(prompt, tokens, length)));
    }

    @Override
    public void backwardHidden(
        int prompt, int[] tokens, int length, double[] hiddenGradient, double[] parameterGradient) {
      network.backwardHidden(
          parameters,
          network.forward(parameters, state.at(prompt, tokens, length)),
          hiddenGradient,
          parameterGradient);
    }
  }

  private static double[] output(double[][] outputs) {
    return outputs[outputs.length - 1];
  }
}
