package org.alignlang.conformance.fuzz;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Breaks texts: by words, by brackets, by lines and by characters, alone or with parts of others.
 */
final class SpecMutator {
  /** Texts longer than this are cut, so that no mutant takes long. */
  private static final int LONGEST = 3_000;

  private static final Pattern WORD =
      Pattern.compile(
          "[\\p{L}_][\\p{L}\\p{N}_]*'*|\\d+(\\.\\d+)?([eE][+-]?\\d+)?|\"[^\"\\n]*\"|//[^\\n]*|\\s+|.",
          Pattern.DOTALL);

  private static final String[] POISON = {
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "=",
    "||",
    "~",
    "-",
    "^",
    "*",
    "/",
    ".",
    "%",
    "<=",
    "==",
    "\"",
    "if",
    "then",
    "else",
    "not",
    "and",
    "or",
    "accept biased",
    "accept",
    "E[",
    "E[r]",
    "mean[token](",
    "mean[sequence](",
    "mean[token, sequence](",
    "mean[batch](",
    "mean[group](",
    "mean[member](",
    "mean[pair](",
    "std[group](",
    "std[batch](r, ddof = 1)",
    "sum[vocab](",
    "max[token](",
    "logsumexp[vocab](",
    "count[group](",
    "sort[batch](",
    "quantile[batch](r, 0.5)",
    "pi(y)",
    "pi(y.token)",
    "pi(y.vocab)",
    "ref(y.vocab)",
    "y.token",
    "y.step",
    "y",
    "pi",
    "ref",
    "old",
    "r",
    "chosen",
    "rejected",
    "label",
    "stop(",
    "normalize[vocab](",
    "entropy(pi(y.vocab))",
    "KL(pi || ref)",
    "KL(pi || pi)",
    "KL(ref || ref)",
    "KL(pi(y.vocab) || ref(y.vocab))",
    ", by = k1",
    ", by = k3, in = loss",
    ", per = token",
    ", weight = ratio",
    ", by = exact",
    "alpha(0)",
    "alpha(1)",
    "alpha(a = 0.5)",
    "D.link",
    "D.k2(",
    "KL.link(",
    "jensen_shannon.f(",
    "log(0)",
    "0 / 0",
    "true",
    "false",
    "\"text\"",
    "multiplier",
    "subject to",
    "minimize",
    "maximize",
    "metric m =",
    "let x =",
    "let f(s) =",
    "estimate with rloo()",
    "estimate with exact()",
    "estimate with grpo()",
    "target p(y) ~ ref(y)",
    "group by prompt",
    "pairs chosen > rejected",
    "labelled y: Bool",
    "policy pi",
    "reference ref",
    "behavior old",
    "teacher t",
    "reward r: sequence",
    "reward r: token[3]",
    "feature x: pair",
    "reward r: sequence[99999]",
    "import \"other.align\"",
    "import \"cycle.align\"",
    "import \"../x.align\"",
    "import align.losses.dpo",
    "as",
    "objective X {",
    "fun f(x) =",
    "divergence d { f(u) = ",
    "estimator e() for r: sequence {",
    "surrogate",
    "experiment X {",
    "task bandit(arms = 8)",
    "train X()",
    "steps 100",
    "record a = E[task.score]",
    "expect final(a) > 0",
    "plot a against step",
    "exact(",
    "final(",
    "where",
    "within 1% of",
    "by",
    "in",
    "form = pid(kp = 1)",
    "form = log",
    "init = -1",
    "normalize = true",
    "clamp(",
    "min(",
    "max(",
    "exp(",
    "log(",
    "log1mexp(",
    "sqrt(",
    "length(y)",
    "grad(",
    "\u0000",
    "\uD83D\uDE00",
    "\uD800",
    "é",
    "λ",
    "//",
    "///",
    "/// doc */",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\uFEFF",
    "\u00A0",
    "\u2028",
    "@",
    "#",
    "'",
    "\\",
    "\\u000a",
    "class",
    "null",
    "var",
    "$S",
    "$L",
    "${x}"
  };

  private static final String[] NUMBERS = {
    "0",
    "1",
    "2",
    "3",
    "0.5",
    "1e308",
    "1e309",
    "1e-320",
    "1e-400",
    "9999999999",
    "2147483648",
    "100%",
    "1e5%",
    "0.1",
    "7",
    "64",
    "99999999999999999999999999999999",
    "0.0000001"
  };

  private final RandomGenerator random;
  private final List<String> corpus;

  SpecMutator(RandomGenerator random, List<String> corpus) {
    this.random = random;
    this.corpus = corpus;
  }

  private record Piece(int start, int end) {}

  private static List<Piece> words(String text) {
    List<Piece> words = new ArrayList<>();
    Matcher matcher = WORD.matcher(text);
    while (matcher.find()) {
      if (!matcher.group().isBlank()) {
        words.add(new Piece(matcher.start(), matcher.end()));
      }
    }
    return words;
  }

  String mutate(String text) {
    StringBuilder out = new StringBuilder(text);
    // Most often one change alone: what is broken twice is mostly told about once.
    do {
      change(out);
    } while (random.nextInt(3) == 0);
    return out.substring(0, Math.min(out.length(), LONGEST));
  }

  private void change(StringBuilder out) {
    List<Piece> words = words(out.toString());
    if (words.isEmpty()) {
      out.append(pick(POISON));
      return;
    }
    Piece word = pick(words);
    switch (random.nextInt(22)) {
      case 0 -> out.delete(word.start, word.end);
      case 1 -> out.insert(word.end, " " + out.substring(word.start, word.end));
      case 2 -> out.replace(word.start, word.end, pick(POISON));
      case 3 -> out.insert(word.start, pick(POISON) + " ");
      case 4 -> {
        Piece other = pick(words);
        out.replace(word.start, word.end, out.substring(other.start, other.end));
      }
      case 5 ->
          out.insert(word.start, (char) random.nextInt(random.nextBoolean() ? 0x80 : 0x10000));
      case 6 -> {
        int end = Math.min(out.length(), word.start + random.nextInt(60));
        out.delete(word.start, end);
      }
      case 7 -> number(out, words);
      case 8, 9 -> line(out);
      case 10 -> splice(out);
      case 11, 12, 13, 14, 15 -> bracket(out);
      default -> {
        // A word of the same kind keeps the syntax, and so gets further.
        String other = random.nextBoolean() ? out.toString() : pick(corpus);
        int kind = kind(out.charAt(word.start));
        List<Piece> theirs =
            words(other).stream().filter(w -> kind(other.charAt(w.start)) == kind).toList();
        if (!theirs.isEmpty()) {
          Piece piece = pick(theirs);
          out.replace(word.start, word.end, other.substring(piece.start, piece.end));
        }
      }
    }
  }

  private static int kind(char first) {
    return Character.isLetter(first)
        ? 0
        : Character.isDigit(first)
            ? 1
            : "+-*/^".indexOf(first) >= 0 ? 2 : "<>=".indexOf(first) >= 0 ? 3 : 4;
  }

  private void number(StringBuilder out, List<Piece> words) {
    List<Piece> numbers =
        words.stream().filter(w -> Character.isDigit(out.charAt(w.start))).toList();
    if (!numbers.isEmpty()) {
      Piece number = pick(numbers);
      out.replace(number.start, number.end, pick(NUMBERS));
    }
  }

  /** Moves, doubles or drops a line, or takes one from another text. */
  private void line(StringBuilder out) {
    List<String> lines = new ArrayList<>(List.of(out.toString().split("\n", -1)));
    int at = random.nextInt(lines.size());
    switch (random.nextInt(4)) {
      case 0 -> lines.remove(at);
      case 1 -> lines.add(at, lines.get(random.nextInt(lines.size())));
      case 2 -> lines.add(random.nextInt(lines.size()), lines.remove(at));
      default -> lines.add(at, pick(pick(corpus).split("\n", -1)));
    }
    out.setLength(0);
    out.append(String.join("\n", lines));
  }

  /** The beginning of this and the end of another. */
  private void splice(StringBuilder out) {
    String other = pick(corpus);
    int from = random.nextInt(other.length() + 1);
    out.setLength(random.nextInt(out.length() + 1));
    out.append(other, from, other.length());
  }

  /** Puts what stands in brackets somewhere in place of what stands in others. */
  private void bracket(StringBuilder out) {
    List<Piece> here = brackets(out.toString());
    String other = random.nextBoolean() ? out.toString() : pick(corpus);
    List<Piece> there = brackets(other);
    if (here.isEmpty() || there.isEmpty()) {
      return;
    }
    Piece to = pick(here);
    Piece from = pick(there);
    out.replace(to.start, to.end, other.substring(from.start, from.end));
  }

  private static List<Piece> brackets(String text) {
    List<Piece> found = new ArrayList<>();
    List<Integer> open = new ArrayList<>();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '(' || c == '[') {
        open.add(i + 1);
      } else if ((c == ')' || c == ']') && !open.isEmpty()) {
        found.add(new Piece(open.removeLast(), i));
      }
    }
    return found;
  }

  private <T> T pick(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }

  private String pick(String[] values) {
    return values[random.nextInt(values.length)];
  }
}
