package org.alignlang.conformance.generated;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.kernel.Level;

/**
 * Random specs that are well typed by construction, the same for the same seed.
 *
 * <p>Expressions are made from the level that they may have at most downwards, as the language's
 * rules allow. A bound on the size of every value is carried along, so that exponentials and powers
 * are taken only of what is moderate, and divisors are guarded where the compiler can see it.
 */
final class SpecGenerator {

  /**
   * A generated spec.
   *
   * @param text its text; the objective is called {@code Generated}
   * @param smooth whether the loss is differentiable everywhere, so that finite differences tell
   *     its gradient
   */
  record Spec(String text, boolean smooth) {}

  private enum Data {
    RESPONSES,
    LABELLED,
    PAIRS
  }

  /**
   * An expression.
   *
   * @param at the domain of its value
   * @param size what its magnitude does not exceed on ordinary batches; of a probability, that of
   *     its logarithm
   * @param smooth whether it is differentiable everywhere
   */
  private record Term(String text, Domain at, double size, boolean smooth) {}

  private static final List<String> DIVERGENCES =
      List.of(
          "KL",
          "reverse_kl",
          "forward_kl",
          "jensen_shannon",
          "chi_squared",
          "reverse_chi_squared",
          "squared_hellinger",
          "alpha(a = 0.3)",
          "alpha(0.7)",
          "own_divergence",
          "total_variation");

  private final RandomGenerator random;
  private final int depth;
  private final Data data;
  private final List<String> sequences;
  private final Set<String> actors = new LinkedHashSet<>();
  private final Map<String, Domain> columns = new LinkedHashMap<>();
  private final Map<String, Integer> ensembles = new LinkedHashMap<>();
  private final List<String> parameters = new ArrayList<>();
  private final List<Term> lets = new ArrayList<>();
  private final List<String> sequenceFunctions = new ArrayList<>();
  private final List<String> statements = new ArrayList<>();
  private final StringBuilder module = new StringBuilder();
  private final boolean vocabulary;
  private boolean smooth = true;

  /** Whether only names of a function's own may be used. */
  private boolean pure;

  private SpecGenerator(long seed, int depth) {
    random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    this.depth = depth;
    data = pick(Data.RESPONSES, Data.RESPONSES, Data.LABELLED, Data.PAIRS);
    sequences = data == Data.PAIRS ? List.of("chosen", "rejected") : List.of("y");
    vocabulary = chance(0.5);
  }

  /**
   * A spec.
   *
   * @param seed the same seed gives the same spec
   * @param depth how deeply expressions are nested at most
   */
  static Spec of(long seed, int depth) {
    return new SpecGenerator(seed, depth).spec();
  }

  // The module.

  private Spec spec() {
    declareData();
    if (chance(0.5)) {
      module.append("divergence own_divergence { f(u) = u * log(u) - u + 1 }\n\n");
    } else {
      module.append(
          "divergence own_divergence(w: Real = 0.4) {\n"
              + "  f(u) = w * u * log(u) - (w * u + 1 - w) * log(w * u + 1 - w)\n}\n\n");
    }
    for (int i = 0, n = random.nextInt(3); i < n; i++) {
      function(i);
    }
    for (int i = 0, n = random.nextInt(4); i < n; i++) {
      let(i);
    }
    String form =
        data == Data.RESPONSES ? pick("direct", "expected", "expected", "target") : "direct";
    switch (form) {
      case "expected" -> expectation();
      case "target" -> target();
      default -> direct();
    }
    useEverything();
    StringBuilder text = new StringBuilder(module);
    text.append("objective Generated");
    if (!parameters.isEmpty()) {
      List<String> declared = new ArrayList<>();
      for (int i = 0; i < parameters.size(); i++) {
        declared.add(
            parameters.get(i) + ": Real = " + new String[] {"0.1", "0.3", "50%", "0.7"}[i]);
      }
      text.append('(').append(String.join(", ", declared)).append(')');
    }
    text.append(" {\n");
    statements.forEach(s -> text.append("  ").append(s).append('\n'));
    text.append("}\n");
    return new Spec(text.toString(), smooth);
  }

  private void declareData() {
    for (int i = 0, n = random.nextInt(4); i < n; i++) {
      parameters.add(new String[] {"beta", "weight", "mix'", "λ"}[i]);
    }
    actors.add("pi");
    statements.add("policy pi");
    for (String[] role :
        new String[][] {
          {"reference", "ref"},
          {"teacher", "guide"},
          {"behavior", "old"},
          {"reference", "second"}
        }) {
      if (chance(0.5)) {
        actors.add(role[1]);
        statements.add(role[0] + " " + role[1]);
      }
    }
    switch (data) {
      case PAIRS -> statements.add("pairs chosen > rejected");
      case LABELLED -> statements.add("labelled y: Bool");
      case RESPONSES -> {
        if (chance(0.3)) {
          statements.add("group by prompt");
        }
      }
    }
    for (int i = 0, n = 1 + random.nextInt(4); i < n; i++) {
      String name = "r" + i;
      String role = pick("reward ", "feature ");
      boolean ensemble = chance(0.2);
      int members = 2 + random.nextInt(3);
      String level = pick("sequence", "sequence", "token", data == Data.PAIRS ? "pair" : "step");
      if (level.equals("pair")) {
        columns.put(name, Domain.PAIR);
        statements.add(role + name + ": pair");
        continue;
      }
      statements.add(role + name + ": " + level + (ensemble ? "[" + members + "]" : ""));
      if (ensemble) {
        ensembles.put(name, level.equals("sequence") ? 0 : 1);
      } else {
        columns.put(name, level.equals("sequence") ? Domain.sequence("?") : Domain.token("?"));
      }
    }
  }

  private void function(int index) {
    List<Term> before = List.copyOf(lets);
    lets.clear();
    lets.add(new Term("x", Domain.BATCH, 8, true));
    lets.add(new Term("k", Domain.BATCH, 2, true));
    List<String> own = List.copyOf(parameters);
    parameters.clear();
    pure = true;
    Term inner = elementwise(Domain.BATCH, 2);
    pure = false;
    String body = chance(0.5) ? "0.1 * x + " + inner.text : "inner + x";
    module
        .append("/// Generated, with `code`, <tags> & @things.\nfun f")
        .append(index)
        .append("(x: Real, k: Real = 0.5)");
    if (body.equals("inner + x")) {
      module.append(" {\n  let inner = ").append(inner.text).append("\n  inner + x\n}\n\n");
    } else {
      module.append(" = ").append(body).append("\n\n");
    }
    functions.add(new Term("f" + index, Domain.BATCH, inner.size + 8, inner.smooth));
    lets.clear();
    lets.addAll(before);
    parameters.addAll(own);
  }

  private final List<Term> functions = new ArrayList<>();

  private void let(int index) {
    if (chance(0.25)) {
      String other = other();
      statements.add("let h" + index + "(s) = log(pi(s) / " + other + "(s))");
      sequenceFunctions.add("h" + index);
      return;
    }
    Term term = real(anywhere(), depth - 1);
    statements.add("let v" + index + " = " + term.text);
    lets.add(new Term("v" + index, term.at, term.size, term.smooth));
  }

  /** Everything declared must reach the loss or a metric. */
  private void useEverything() {
    List<String> used = new ArrayList<>();
    for (String sequence : sequences) {
      for (String actor : actors) {
        used.add("mean[sequence](log(%s(%s)))".formatted(actor, sequence));
      }
      columns.forEach((name, at) -> {
        String x = column(name, sequence);
        used.add(
            at.level() == Level.TOKEN
                ? "mean[token, sequence](%s)".formatted(x)
                : at.level() == Level.PAIR ? "mean[pair](" + x + ")" : "mean[sequence](" + x + ")");
      });
      ensembles.forEach((name, token) -> {
        String x = "mean[member](" + column(name, sequence) + ")";
        used.add(token == 1 ? "mean[token, sequence](" + x + ")" : "mean[sequence](" + x + ")");
      });
    }
    if (data == Data.LABELLED) {
      used.add("mean[sequence](if label then 1 else 0)");
    }
    statements.add("metric everything = " + String.join(" + ", used));
  }

  // Objectives.

  private void direct() {
    Term loss = real(Domain.BATCH, depth);
    String text = loss.text + " + " + anchor();
    for (String parameter : parameters) {
      text += " + 0.01 * " + parameter + " * " + anchor();
    }
    smooth &= loss.smooth;
    statements.add(pick("minimize ", "maximize ") + text);
    if (chance(0.3)) {
      Term metric = real(Domain.BATCH, 3);
      statements.add("metric measured = " + metric.text);
    }
  }

  /** A small term through which a gradient reaches the policy whatever else there is. */
  private String anchor() {
    String s = sequences.get(random.nextInt(sequences.size()));
    return pick(
        "mean[sequence](log(pi(%s)))".formatted(s),
        "mean[token, sequence](log(pi(%s.token)))".formatted(s),
        "mean[sequence](mean[token](log(pi(%s.token))))".formatted(s));
  }

  private void expectation() {
    List<String> terms = new ArrayList<>();
    terms.add("E[" + plain().text + "]");
    for (int i = 0, n = random.nextInt(3); i < n; i++) {
      String weight = number();
      terms.add(
          weight
              + " * "
              + pick(
                  "E[" + plain().text + "]",
                  "(E[" + plain().text + "] - 0.3)^2",
                  "exp(tanh(E[" + plain().text + "]))",
                  penalty(),
                  "(" + limited(real(Domain.BATCH, depth - 1), 50).text + ")"));
    }
    smooth = false;
    for (String parameter : parameters) {
      terms.add("0.1 * " + parameter + " * E[" + plain().text + "]");
    }
    statements.add(pick("maximize ", "minimize ") + String.join(" + ", terms));
    if (chance(0.4)) {
      constraints();
    }
    statements.add("estimate with " + estimator(false));
  }

  /** A reward per response: whatever is at sequence level. */
  private Term plain() {
    return limited(real(Domain.sequence("y"), 3), 20);
  }

  private String penalty() {
    String other = other();
    String divergence = pick(DIVERGENCES);
    boolean call = divergence.contains("(");
    String name = call ? divergence.substring(0, divergence.indexOf('(')) : divergence;
    String options =
        pick(
            "",
            "",
            ", by = " + pick("k1", "k2", "k3") + ", in = reward",
            ", by = " + pick("k1", "k2", "k3") + ", in = loss",
            ", by = " + pick("k1", "k2", "k3") + ", in = loss, per = token",
            ", by = " + pick("k1", "k3") + ", in = loss, weight = ratio",
            vocabulary ? ", by = exact, per = token" : "");
    boolean total = name.equals("total_variation");
    String sides = options.isEmpty() && chance(0.2) ? other + " || pi" : "pi || " + other;
    return (total ? "KL" : name) + "(" + sides + options + ") accept biased \"generated\"";
  }

  private void constraints() {
    StringBuilder text = new StringBuilder("subject to ");
    for (int i = 0, n = 1 + random.nextInt(2); i < n; i++) {
      String form =
          pick(
              "",
              "form = log, init = 0.5, rate = 0.01",
              "form = softplus",
              "form = pid(kp = 0.1, ki = 0.01, kd = 0.01), max = 5",
              "init = 0.2, rate = 0.05, normalize = true");
      String value = pick("E[" + plain().text + "]", "KL(pi || " + other() + ")", "E[length(y)]");
      text.append(value)
          .append(pick(" <= ", " >= "))
          .append(number())
          .append(" multiplier nu")
          .append(i)
          .append(form.isEmpty() ? "" : "(" + form + ")")
          .append(i + 1 < n ? "\n             " : "");
    }
    statements.add(text.toString());
  }

  private String estimator(boolean target) {
    if (!target && chance(0.3)) {
      module.append(
          """
          estimator own(clip: Real = 0.2) for r: sequence {
            let a = (r - mean[group](r)) / (std[group](r, ddof = 1) + 1e-3)
            let ratio = pi(y.token) / old(y.token)
            surrogate %s
          }

          """
              .formatted(
                  pick(
                      "mean[sequence](mean[token](min(ratio * a, clamp(ratio, 1 - clip, 1 + clip) *"
                          + " a)))",
                      "mean[token, sequence](stop(clamp(ratio, 1 - clip, 1 + clip)) * a *"
                          + " log(pi(y.token)))",
                      "mean[sequence](sum[token](log(pi(y.token))) * a * clip)",
                      "mean[batch](a * tanh(log(pi(y) / old(y)) / (1 + clip)))")));
      return "own(clip = " + number() + ")";
    }
    return pick(
        "rloo()",
        "reinforce()",
        "ppo()",
        "grpo()",
        "dr_grpo()",
        "gspo()",
        "cispo()",
        "dapo()",
        "exact()");
  }

  private void target() {
    String other = other();
    smooth = false;
    String temperature = parameters.isEmpty() ? "0.5" : parameters.get(0);
    statements.add(
        "target p(y) ~ %s(y) * exp(%s / %s)".formatted(other, plain().text, temperature));
    String divergence = pick(DIVERGENCES.subList(0, 7));
    StringBuilder sum = new StringBuilder("minimize ").append(divergence);
    sum.append(pick("(p || pi)", "(p || pi)", "(pi || p)"));
    for (String parameter : parameters) {
      sum.append(" + 0.01 * ").append(parameter).append(" * ").append(anchor());
    }
    statements.add(sum.toString());
    statements.add("estimate with " + pick("rloo()", "reinforce()", "grpo()", "exact()"));
  }

  // Expressions.

  private Domain anywhere() {
    String s = pick(sequences);
    Domain fine = pick(Domain.sequence(s), Domain.token(s), Domain.BATCH);
    return data == Data.PAIRS && chance(0.4)
        ? Domain.PAIR
        : vocabulary && chance(0.1) ? Domain.vocab(s) : fine;
  }

  /** A real value at a domain or at one that broadcasts to it. */
  private Term real(Domain limit, int fuel) {
    if (fuel <= 0) {
      return leaf(limit);
    }
    List<Supplier<Optional<Term>>> ways = new ArrayList<>();
    ways.add(() -> Optional.of(elementwise(limit, fuel)));
    ways.add(() -> Optional.of(elementwise(limit, fuel)));
    if (pure) {
      return elementwise(limit, fuel);
    }
    ways.add(() -> reduction(limit, fuel));
    ways.add(() -> reduction(limit, fuel));
    ways.add(() -> ordered(limit, fuel));
    ways.add(() -> members(limit, fuel));
    ways.add(() -> probabilities(limit, fuel));
    ways.add(() -> vocabularies(limit, fuel));
    ways.add(() -> call(limit, fuel));
    for (int attempt = 0; attempt < 6; attempt++) {
      Optional<Term> found = ways.get(random.nextInt(ways.size())).get();
      if (found.isPresent()) {
        return limited(found.get(), 1e4);
      }
    }
    return leaf(limit);
  }

  private Term leaf(Domain limit) {
    List<Term> all = new ArrayList<>();
    all.add(new Term(number(), Domain.BATCH, 3, true));
    parameters.forEach(p -> all.add(new Term(p, Domain.BATCH, 1, true)));
    lets.stream().filter(l -> joins(l.at, limit)).forEach(all::add);
    for (String s : sequences) {
      Domain row = Domain.sequence(s);
      Domain token = Domain.token(s);
      if (joins(row, limit)) {
        for (int i = 0; i < 2; i++) {
          all.add(new Term("log(pi(%s))".formatted(s), row, 40, true));
          all.add(new Term("log(pi(%s) / %s(%s))".formatted(s, other(), s), row, 40, true));
        }
        all.add(new Term("length(" + s + ")", row, 6, true));
        sequenceFunctions.forEach(h -> all.add(new Term(h + "(" + s + ")", row, 40, true)));
        if (data == Data.LABELLED) {
          all.add(new Term("(if label then 1 else -1)", row, 1, true));
        }
      }
      if (joins(token, limit)) {
        for (int i = 0; i < 2; i++) {
          all.add(new Term("log(pi(%s.token))".formatted(s), token, 10, true));
          all.add(
              new Term(
                  "log(pi(%1$s.token) / %2$s(%1$s.token))".formatted(s, other()), token, 10, true));
        }
      }
      if (vocabulary && joins(Domain.vocab(s), limit)) {
        all.add(
            new Term("log(%s(%s.vocab))".formatted(pick(actors), s), Domain.vocab(s), 10, true));
        all.add(new Term("pi(%s.vocab)".formatted(s), Domain.vocab(s), 1, true));
      }
      columns.forEach((name, at) -> {
        Domain placed = at.level() == Level.PAIR ? at : new Domain(at.level(), s);
        if (joins(placed, limit)) {
          all.add(new Term(column(name, s), placed, 4, true));
        }
      });
    }
    // The finest are the most interesting.
    Term a = pick(all);
    Term b = pick(all);
    return a.at.level().compareTo(b.at.level()) >= 0 ? a : b;
  }

  private String column(String name, String sequence) {
    boolean whole = data != Data.PAIRS || Domain.PAIR.equals(columns.get(name));
    return whole ? name : name + "(" + sequence + ")";
  }

  private static boolean joins(Domain value, Domain limit) {
    return value.equals(limit)
        || value.broadcastsTo(limit)
        || (limit.level() == Level.PAIR && value.level() == Level.SEQUENCE);
  }

  private Term elementwise(Domain limit, int fuel) {
    Term a = real(limit, fuel - 1);
    switch (random.nextInt(16)) {
      case 0, 1, 2 -> {
        Term b = real(limit, fuel - 1);
        return both(a, b, "(%s " + pick("+", "-") + " %s)", a.size + b.size);
      }
      case 3, 4 -> {
        Term b = real(limit, fuel - 1);
        return both(a, b, "%s * %s", a.size * b.size);
      }
      case 5 -> {
        Term b = real(limit, fuel - 1);
        String divisor =
            pick(
                "(1 + (%s)^2)",
                "(abs(%s) + 0.5)", "max(%s, 0.5)", "(0.5 + softplus(%s))", "(2 + sigmoid(%s))");
        boolean kink = divisor.contains("abs") || divisor.contains("max");
        Term guarded = new Term(divisor.formatted(b.text), b.at, 1, b.smooth && !kink);
        return both(a, guarded, "%s / %s", 2 * a.size);
      }
      case 6 -> {
        Term b = real(limit, fuel - 1);
        String f = pick("min(%s, %s)", "max(%s, %s)");
        return kinked(both(a, b, f, Math.max(a.size, b.size)));
      }
      case 7 -> {
        return kinked(
            new Term(
                "clamp(%s, %s, %s)".formatted(a.text, "-" + number(), number()),
                a.at,
                3,
                a.smooth));
      }
      case 8 -> {
        Term b = real(limit, fuel - 1);
        Term c = condition(limit, fuel - 1);
        Domain at = join(join(a.at, b.at), c.at);
        return new Term(
            "(if %s then %s else %s)".formatted(c.text, a.text, b.text),
            at,
            Math.max(a.size, b.size),
            false);
      }
      case 9 -> {
        return new Term("stop(" + a.text + ")", a.at, a.size, a.smooth);
      }
      case 10 -> {
        Term x = limited(a, 20);
        int power = 2 + random.nextInt(2);
        return new Term(
            "(%s)^%d".formatted(x.text, power), x.at, Math.pow(x.size, power), x.smooth);
      }
      case 11 -> {
        Term x = limited(a, 6);
        String f =
            pick("exp(%s)", "expm1(%s)", "log1p(exp(%s))", "log(1 + exp(%s))", "1 / exp(%s)");
        return new Term(f.formatted(x.text), x.at, Math.exp(x.size), x.smooth);
      }
      case 12 -> {
        String f =
            pick(
                "sqrt(0.1 + (%s)^2)",
                "log(0.1 + (%s)^2)",
                "log1p((%s)^2)",
                "(0.2 + softplus(%s))^0.7",
                "log1mexp(-0.1 - softplus(%s))");
        return new Term(f.formatted(a.text), a.at, a.size + 3, a.smooth);
      }
      case 13 -> {
        String f = pick("abs(%s)", "relu(%s)", "sign(%s)", "floor(%s)");
        return new Term(f.formatted(a.text), a.at, a.size + 1, false);
      }
      default -> {
        String f =
            pick(
                "tanh(%s)",
                "sigmoid(%s)", "log_sigmoid(%s)", "softplus(%s)", "arctan(%s)", "-(%s)");
        return new Term(f.formatted(a.text), a.at, a.size + 1, a.smooth);
      }
    }
  }

  private Term condition(Domain limit, int fuel) {
    if (data == Data.LABELLED && chance(0.3) && joins(Domain.sequence("y"), limit)) {
      return new Term("label", Domain.sequence("y"), 1, false);
    }
    Term a = real(limit, fuel - 1);
    Term b = real(limit, fuel - 1);
    Term c = both(a, b, "%s " + pick("<", ">", "<=", ">=", "!=") + " %s", 1);
    return switch (random.nextInt(6)) {
      case 0 -> {
        Term d = real(limit, 0);
        yield both(c, d, "%s " + pick("and", "or") + " %s > 0.1", 1);
      }
      case 1 -> new Term("not (" + c.text + ")", c.at, 1, false);
      default -> c;
    };
  }

  /** A reduction whose result can be used at a domain. */
  private Optional<Term> reduction(Domain limit, int fuel) {
    String s = limit.owner().isEmpty() ? pick(sequences) : limit.owner();
    List<Domain> finer = new ArrayList<>(List.of(Domain.sequence(s), Domain.token(s)));
    if (vocabulary && chance(0.3)) {
      finer.add(Domain.vocab(s));
    }
    if (data == Data.PAIRS) {
      finer.add(Domain.PAIR);
    }
    Term x = real(pick(finer), fuel - 1);
    List<String> levels =
        new ArrayList<>(
            switch (x.at.level()) {
              case VOCAB -> List.of("vocab", "vocab, token", "vocab, token, sequence");
              case TOKEN -> List.of("token", "token, sequence", "group", "batch");
              case SEQUENCE -> List.of("sequence", "group", "batch");
              case PAIR -> List.of("pair", "group", "batch");
              case GROUP -> List.of("batch");
              case BATCH -> List.<String>of();
            });
    levels.removeIf(l -> !joins(reduced(x.at, l), limit));
    if (levels.isEmpty()) {
      return Optional.empty();
    }
    String over = pick(levels);
    Domain to = reduced(x.at, over);
    double many = over.contains("vocab") ? 60 : 42;
    return Optional.of(
        switch (random.nextInt(11)) {
          case 0, 1, 2 ->
              new Term("sum[%s](%s)".formatted(over, x.text), to, many * x.size, x.smooth);
          case 3, 4, 5 -> new Term("mean[%s](%s)".formatted(over, x.text), to, x.size, x.smooth);
          case 6 ->
              new Term("%s[%s](%s)".formatted(pick("max", "min"), over, x.text), to, x.size, false);
          case 7 -> new Term("logsumexp[%s](%s)".formatted(over, x.text), to, x.size + 4, x.smooth);
          case 8 ->
              new Term(
                  "var[%s](%s, ddof = %d)".formatted(over, x.text, random.nextInt(2)),
                  to,
                  4 * x.size * x.size,
                  x.smooth);
          // The root of the variance has a kink where all values are equal.
          case 9 ->
              new Term(
                  "std[%s](%s, ddof = %d)".formatted(over, x.text, random.nextInt(2)),
                  to,
                  2 * x.size,
                  false);
          default -> new Term("count[%s](%s)".formatted(over, x.text), to, many, true);
        });
  }

  private static Domain reduced(Domain from, String over) {
    return switch (over) {
      case "group" -> Domain.GROUP;
      case "vocab" -> Domain.token(from.owner());
      case "token", "vocab, token" -> Domain.sequence(from.owner());
      default -> Domain.BATCH;
    };
  }

  /** An order statistic of the rows. */
  private Optional<Term> ordered(Domain limit, int fuel) {
    Domain row =
        data == Data.PAIRS && chance(0.5)
            ? Domain.PAIR
            : Domain.sequence(limit.owner().isEmpty() ? pick(sequences) : limit.owner());
    Term x = real(row, fuel - 1);
    if (!x.at.isRow()) {
      return Optional.empty();
    }
    String within = pick("batch", "group");
    if (chance(0.5)) {
      return joins(x.at, limit)
          ? Optional.of(new Term("sort[%s](%s)".formatted(within, x.text), x.at, x.size, false))
          : Optional.empty();
    }
    Domain to = within.equals("batch") ? Domain.BATCH : Domain.GROUP;
    String fraction = pick("0.5", "0.8", "0", "1", "0.25");
    return joins(to, limit)
        ? Optional.of(
            new Term("quantile[%s](%s, %s)".formatted(within, x.text, fraction), to, x.size, false))
        : Optional.empty();
  }

  private Optional<Term> members(Domain limit, int fuel) {
    if (ensembles.isEmpty()) {
      return Optional.empty();
    }
    String name = pick(ensembles.keySet());
    String s = limit.owner().isEmpty() ? sequences.getFirst() : limit.owner();
    Domain at = ensembles.get(name) == 1 ? Domain.token(s) : Domain.sequence(s);
    if (!joins(at, limit)) {
      return Optional.empty();
    }
    Term other = limited(real(at, fuel - 1), 10);
    String each =
        pick(
                "#",
                "# * (" + other.text + ")",
                "tanh(#) + " + other.text,
                "max(#, " + other.text + ")")
            .replace("#", column(name, s));
    String f =
        pick(
            "mean[member]",
            "sum[member]",
            "min[member]",
            "max[member]",
            "logsumexp[member]",
            "var");
    String text = f.equals("var") ? "var[member](" + each + ", ddof = 1)" : f + "(" + each + ")";
    return Optional.of(new Term(text, at, 2000, false));
  }

  /** A probability as a value, or its logarithm. */
  private Optional<Term> probabilities(Domain limit, int fuel) {
    String s = limit.owner().isEmpty() ? pick(sequences) : limit.owner();
    List<Domain> places = new ArrayList<>(List.of(Domain.sequence(s), Domain.token(s)));
    if (vocabulary) {
      places.add(Domain.vocab(s));
    }
    places.removeIf(p -> !joins(p, limit));
    if (places.isEmpty()) {
      return Optional.empty();
    }
    Term p = probability(pick(places), fuel - 1);
    return Optional.of(
        switch (random.nextInt(6)) {
          case 0, 1 -> new Term("log(" + p.text + ")", p.at, p.size, p.smooth);
          case 2 -> {
            // D.f and its relatives of a ratio.
            String d = pick(DIVERGENCES.subList(0, 7));
            String f = pick("link", "f", "derivative", "k1", "k2", "k3");
            String ratio = p.size > 4 ? "exp(tanh(log(" + p.text + ")))" : p.text;
            yield new Term(
                "(%s.%s(%s) accept normalizer_stays accept biased)".formatted(d, f, ratio),
                p.at,
                200,
                p.smooth);
          }
          default ->
              p.size > 5
                  ? kinked(new Term("min(%s, 2)".formatted(p.text), p.at, 2, p.smooth))
                  : new Term("(" + p.text + ")", p.at, Math.exp(p.size), p.smooth);
        });
  }

  private Term probability(Domain at, int fuel) {
    String view =
        switch (at.level()) {
          case TOKEN -> at.owner() + ".token";
          case VOCAB -> at.owner() + ".vocab";
          default -> at.owner();
        };
    double size = at.level() == Level.SEQUENCE ? 40 : 10;
    String p = pick("pi(%s)", "pi(%1$s) / " + other() + "(%1$s)").formatted(view);
    if (fuel <= 0) {
      return new Term(p, at, size, true);
    }
    Term q = probability(at, fuel - 1);
    return switch (random.nextInt(7)) {
      case 0 -> new Term("(%s * %s)".formatted(p, q.text), at, size + q.size, q.smooth);
      case 1 ->
          new Term("(%s)^%s".formatted(q.text, pick("0.1", "0.5", "2")), at, 2 * q.size, q.smooth);
      case 2 -> new Term("(%s + %s)".formatted(p, q.text), at, size + q.size + 1, q.smooth);
      case 3 -> new Term("(%s * (%s))".formatted(number(), q.text), at, q.size + 3, q.smooth);
      case 4 -> {
        Term x = limited(real(at, fuel - 1), 5);
        yield new Term("(exp(%s) * %s)".formatted(x.text, p), at, 5 + size, x.smooth);
      }
      case 5 -> new Term("stop(" + q.text + ")", at, q.size, q.smooth);
      default -> new Term(p, at, size, true);
    };
  }

  /** What is made of whole distributions: divergences, entropies, sums of mixtures. */
  private Optional<Term> vocabularies(Domain limit, int fuel) {
    String s = limit.owner().isEmpty() ? pick(sequences) : limit.owner();
    Domain token = Domain.token(s);
    if (!vocabulary || !joins(token, limit)) {
      return Optional.empty();
    }
    Term p = distribution(s, fuel - 1);
    Term q = distribution(s, fuel - 1);
    return Optional.of(
        switch (random.nextInt(5)) {
          case 0 -> new Term("entropy(" + p.text + ")", token, 10, p.smooth);
          case 1 -> {
            Term x = limited(real(Domain.vocab(s), fuel - 1), 10);
            yield new Term(
                "sum[vocab](%s * (%s))".formatted(p.text, x.text), token, 10, p.smooth && x.smooth);
          }
          case 2 ->
              new Term(
                  "log(sum[vocab](%s * (%s)^%s))".formatted(p.text, q.text, pick("0.5", "2")),
                  token,
                  20,
                  p.smooth && q.smooth);
          default -> {
            String d = pick(DIVERGENCES);
            boolean smoothly = p.smooth && q.smooth && !d.equals("total_variation");
            yield new Term("%s(%s || %s)".formatted(d, p.text, q.text), token, 500, smoothly);
          }
        });
  }

  private Term distribution(String s, int fuel) {
    Domain vocab = Domain.vocab(s);
    String p = pick(actors) + "(" + s + ".vocab)";
    if (fuel <= 0) {
      return new Term(p, vocab, 10, true);
    }
    Term q = distribution(s, fuel - 1);
    String weight = parameters.isEmpty() ? "0.3" : pick(parameters);
    return switch (random.nextInt(6)) {
      case 0 ->
          new Term("normalize[vocab](%s^0.3 * (%s)^0.7)".formatted(p, q.text), vocab, 10, q.smooth);
      case 1 -> new Term("(0.25 * %s + 0.75 * (%s))".formatted(p, q.text), vocab, 10, q.smooth);
      case 2 ->
          new Term(
              "(%1$s * %2$s + (1 - %1$s) * (%3$s))".formatted(weight, p, q.text),
              vocab,
              10,
              q.smooth);
      case 3 -> {
        Term x = limited(real(vocab, fuel - 1), 5);
        yield new Term("normalize[vocab](%s * exp(%s))".formatted(p, x.text), vocab, 10, x.smooth);
      }
      case 4 -> new Term("stop(" + q.text + ")", vocab, 10, q.smooth);
      default -> new Term(p, vocab, 10, true);
    };
  }

  private Optional<Term> call(Domain limit, int fuel) {
    if (functions.isEmpty()) {
      return Optional.empty();
    }
    Term f = pick(functions);
    Term x = limited(real(limit, fuel - 1), 8);
    String rest = pick("", ", 0.3", ", k = 0.7");
    return Optional.of(
        new Term("%s(%s%s)".formatted(f.text, x.text, rest), x.at, f.size, f.smooth && x.smooth));
  }

  /** The same value, brought down to a size if it may be larger. */
  private Term limited(Term x, double size) {
    if (x.size <= size) {
      return x;
    }
    return switch (random.nextInt(4)) {
      case 0 -> kinked(new Term("clamp(%s, -2, 2)".formatted(x.text), x.at, 2, x.smooth));
      case 1 -> new Term("arctan(%s)".formatted(x.text), x.at, 2, x.smooth);
      case 2 ->
          new Term("(%s * %s)".formatted(decimal(size / x.size), x.text), x.at, size, x.smooth);
      default -> new Term("tanh(%s)".formatted(x.text), x.at, 1, x.smooth);
    };
  }

  private static Term kinked(Term x) {
    return new Term(x.text, x.at, x.size, false);
  }

  private static Term both(Term a, Term b, String format, double size) {
    return new Term(format.formatted(a.text, b.text), join(a.at, b.at), size, a.smooth && b.smooth);
  }

  private static Domain join(Domain a, Domain b) {
    return GraphBuilder.join(a, b);
  }

  // Choices.

  private String other() {
    List<String> others = actors.stream().filter(a -> !a.equals("pi")).toList();
    if (others.isEmpty()) {
      actors.add("old");
      statements.add("behavior old");
      return "old";
    }
    return pick(others);
  }

  private String number() {
    return pick("0.1", "0.5", "1", "2", "1.5", "25%", "3e-1", "0.75");
  }

  private static String decimal(double value) {
    return String.format(Locale.ROOT, "%.3e", value);
  }

  private boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  private <T> T pick(java.util.Collection<T> values) {
    return values.stream().skip(random.nextInt(values.size())).findFirst().orElseThrow();
  }

  @SafeVarargs
  private <T> T pick(T... values) {
    return pick(Arrays.asList(values));
  }
}
