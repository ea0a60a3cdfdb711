package org.alignlang.compiler.check;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Names that papers and training libraries have for what is written otherwise here. */
final class ForeignNames {
  private static final Map<String, String> MEANT = new HashMap<>();

  /** Reductions over the vocabulary alone. */
  private static final Set<String> VOCABULARY = Set.of("top", "normalize");

  static {
    say("write `KL(p || q)`", "kl", "kl_div", "kl_divergence", "kld", "rkl");
    say("write `forward_kl(p || q)`, which is `KL(q || p)`", "fkl");
    say("write `jensen_shannon(p || q)`", "jsd", "js", "jensenshannon", "js_divergence");
    say("write `total_variation(p || q)`", "tv", "tvd", "total_variation_distance");
    say("write `squared_hellinger(p || q)`", "hellinger");
    say("write `chi_squared(p || q)`", "chi2", "chi_square", "chisquare", "pearson");
    say("`pi(y.vocab)` is the distribution already", "softmax");
    say("write `log(pi(y.vocab))`", "log_softmax", "logsoftmax");
    say("write `log(pi(y))`, or `log(pi(y.token))` for each token", "logp", "logps", "logprob");
    say("write `log(pi(y))`, or `log(pi(y.token))` for each token", "log_prob", "log_probs");
    say("write `log(pi(y))`, or `log(pi(y.token))` for each token", "logprobs", "log_p");
    say("write `-log(pi(y.token))` with a mean around it", "nll", "nll_loss", "cross_entropy");
    say("write `clamp(x, low, high)`", "clip");
    say("write `stop(x)`", "detach", "stop_gradient", "no_grad", "sg", "stopgrad", "stop_grad");
    say("write `log(x)`", "ln");
    say("write `x^2`", "pow", "square", "sq");
    say("write `if c then x else y`", "ifelse", "select");
    say("write `length(y)`", "len", "seq_len", "lengths");
    say("write `pi(y) / old(y)` with `behavior old`", "importance_weight", "ratio", "rho");
    say("write `r - mean[group](r)`, or leave it to an estimator", "advantage", "advantages");
    say("compare with the largest: `top[vocab](pi(y.vocab), 1)`", "argmax");
    say("a loss has no random choice", "random", "rand", "uniform", "bernoulli", "dropout");
  }

  private ForeignNames() {}

  private static void say(String help, String... names) {
    for (String name : names) {
      MEANT.put(name, help);
    }
  }

  /** What is written here in place of a name. */
  static Optional<String> help(String name) {
    return Optional.ofNullable(MEANT.get(name.toLowerCase(Locale.ROOT)));
  }

  /** Whether a name is one of a divergence's, which is short and near to names of other things. */
  static boolean isDivergence(String name) {
    return help(name).filter(help -> help.contains("||")).isPresent();
  }

  /** How a reduction says what it goes over. */
  static String helpOnReduction(String name) {
    return VOCABULARY.contains(name)
        ? "say over what: `%s[vocab](...)`".formatted(name)
        : "say over what: `%s[sequence](...)`, `%s[token, sequence](...)`".formatted(name, name);
  }
}
