package org.alignlang.compiler.explain;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.alignlang.compiler.explain.Notation.Symbol;
import org.alignlang.kernel.Level;

/** How names of a spec and operators are set. */
final class Symbols {
  static final Symbol LOG = Notation.symbol("log", "\\log");
  static final Symbol SIGMOID = Notation.symbol("σ", "\\sigma");
  static final Symbol TILDE = Notation.symbol("∼", "\\sim");
  static final Symbol EQUALS = Notation.symbol("=", "=");
  static final Symbol TOKEN = Notation.symbol("t", "t");
  static final Symbol VOCAB = Notation.symbol("v", "v");
  static final Symbol ANY = Notation.symbol("·", "\\cdot");
  static final Symbol COMMA = Notation.symbol(",", ",\\;");
  static final Symbol LOSS = Notation.symbol("ℒ", "\\mathcal{L}");
  static final Symbol ROWS = Notation.symbol("N", "N");
  static final Symbol BAR = Notation.symbol("|", "\\lvert ");
  static final Symbol BAR_CLOSE = Notation.symbol("|", "\\rvert ");
  static final Symbol BRACKET_CLOSE = Notation.symbol("]", "]");

  private static final Map<String, String> GREEK =
      Map.ofEntries(
          Map.entry("alpha", "α"),
          Map.entry("beta", "β"),
          Map.entry("gamma", "γ"),
          Map.entry("delta", "δ"),
          Map.entry("epsilon", "ε"),
          Map.entry("zeta", "ζ"),
          Map.entry("eta", "η"),
          Map.entry("theta", "θ"),
          Map.entry("iota", "ι"),
          Map.entry("kappa", "κ"),
          Map.entry("lambda", "λ"),
          Map.entry("mu", "μ"),
          Map.entry("nu", "ν"),
          Map.entry("xi", "ξ"),
          Map.entry("pi", "π"),
          Map.entry("rho", "ρ"),
          Map.entry("sigma", "σ"),
          Map.entry("tau", "τ"),
          Map.entry("upsilon", "υ"),
          Map.entry("phi", "φ"),
          Map.entry("chi", "χ"),
          Map.entry("psi", "ψ"),
          Map.entry("omega", "ω"));

  private Symbols() {}

  /** A name: Greek where it spells or is a Greek letter, what follows an underscore below. */
  static Symbol name(String name) {
    int bar = name.indexOf('_');
    if (bar > 0 && bar < name.length() - 1) {
      Symbol base = name(name.substring(0, bar));
      String below = name.substring(bar + 1);
      return Notation.symbol(
          base.unicode() + "_" + below, base.latex() + "_{" + upright(below) + "}");
    }
    String letter = GREEK.get(name);
    if (letter != null) {
      return Notation.symbol(letter, "\\" + (name.equals("epsilon") ? "varepsilon" : name));
    }
    for (Map.Entry<String, String> greek : GREEK.entrySet()) {
      if (greek.getValue().equals(name)) {
        return name(greek.getKey());
      }
    }
    return Notation.symbol(name, name.codePointCount(0, name.length()) == 1 ? name : upright(name));
  }

  /** A name of several letters, upright, so that it is no product. */
  private static String upright(String name) {
    boolean ascii = name.chars().allMatch(c -> c < 128);
    return (ascii ? "\\mathrm{" : "\\text{") + name.replace("_", "\\_") + "}";
  }

  /** A name that is applied to something. */
  static Symbol function(String name) {
    boolean letters = name.chars().allMatch(c -> c < 128 && Character.isLetterOrDigit(c));
    return name.length() > 1 && letters && !GREEK.containsKey(name)
        ? Notation.symbol(name, "\\operatorname{" + name + "}")
        : name(name);
  }

  /** An actor: the policy is π, others are π with their name below, unless they are Greek. */
  static Symbol actor(String name, boolean policy) {
    if (GREEK.containsKey(name) || GREEK.containsValue(name)) {
      return name(name);
    }
    if (policy) {
      return Notation.symbol("π", "\\pi");
    }
    return Notation.symbol("π_" + name, "\\pi_{" + upright(name) + "}");
  }

  /** A sequence: y, and the chosen and rejected ones of a pair. */
  static Symbol sequence(String name) {
    return switch (name) {
      case "chosen" -> Notation.symbol("y⁺", "y^{+}");
      case "rejected" -> Notation.symbol("y⁻", "y^{-}");
      default -> name(name);
    };
  }

  /** The token of a sequence at the current position. */
  static Symbol token(Symbol sequence) {
    return Notation.symbol(
        sequence.unicode() + "ₜ",
        sequence.latex().endsWith("}") ? "{" + sequence.latex() + "}_t" : sequence.latex() + "_t");
  }

  /** An actor's distribution over the vocabulary at the current position, at an entry. */
  static Notation distribution(Symbol actor) {
    return distribution(actor, VOCAB);
  }

  /** An actor's distribution over the vocabulary at the current position. */
  static Notation distribution(Symbol actor, Symbol entry) {
    boolean below = actor.latex().contains("_{");
    Symbol at =
        Notation.symbol(
            below ? actor.unicode() + ",t" : actor.unicode() + "ₜ",
            below ? actor.latex().replaceFirst("\\}$", ",t}") : actor.latex() + "_t");
    return new Notation.Called(at, List.of(entry));
  }

  /** How often an actor is in each state and takes each action. */
  static Symbol occupancy(String actor, boolean policy) {
    return policy
        ? Notation.symbol("d_π", "d_{\\pi}")
        : Notation.symbol("d_" + actor, "d_{" + upright(actor) + "}");
  }

  static Notation length(Symbol sequence) {
    return new Notation.Enclosed(BAR, sequence, BAR_CLOSE);
  }

  static Notation absolute(Notation x) {
    return new Notation.Enclosed(BAR, x, BAR_CLOSE);
  }

  /** The value of something through which no gradient flows. */
  static Notation stopped(Notation x) {
    return new Notation.Enclosed(
        Notation.symbol("sg[", "\\operatorname{sg}\\left["), x, BRACKET_CLOSE);
  }

  static Notation call(String function, Notation... arguments) {
    return new Notation.Called(function(function), List.of(arguments));
  }

  static Notation log(Notation x) {
    return new Notation.Applied(LOG, x);
  }

  /** {@code exp(x)}. */
  static Notation exp(Notation x) {
    return new Notation.Called(Notation.symbol("exp", "\\exp"), List.of(x));
  }

  static Notation logSigmoid(Notation x) {
    return new Notation.Applied(LOG, new Notation.Called(SIGMOID, List.of(x)));
  }

  /** The sum sign over a level. */
  static Symbol sumOver(Level level, Symbol sequence) {
    return switch (level) {
      case VOCAB -> Notation.symbol("∑ᵥ", "\\sum_{v}");
      case TOKEN -> Notation.symbol("∑ₜ", "\\sum_{t}");
      case SEQUENCE ->
          Notation.symbol("∑_" + sequence.unicode(), "\\sum_{" + sequence.latex() + "}");
      case PAIR -> sumOver(row(List.of("chosen", "rejected")));
      case GROUP, BATCH -> Notation.symbol("∑_x", "\\sum_{x}");
    };
  }

  /** The expectation over draws from the policy. */
  static Notation expectation(Symbol policy, Notation x) {
    return new Notation.Enclosed(
        Notation.symbol(
            "𝔼_y∼" + policy.unicode() + "[",
            "\\mathbb{E}_{y \\sim " + policy.latex() + "}\\left["),
        x,
        BRACKET_CLOSE);
  }

  /** The sum sign over the rows of a batch. */
  static Symbol sumOver(Symbol row) {
    return Notation.symbol("∑_" + row.unicode(), "\\sum_{" + row.latex() + "}");
  }

  /** The sequences of a row: those of a pair, a few draws, or the first and last of a long list. */
  static Symbol row(List<String> sequences) {
    List<Symbol> all = sequences.stream().map(Symbols::sequence).toList();
    if (all.size() > 3) {
      Symbol first = all.getFirst();
      Symbol last = all.getLast();
      return Notation.symbol(
          "(" + first.unicode() + ",…," + last.unicode() + ")",
          "(" + first.latex() + ", \\ldots, " + last.latex() + ")");
    }
    return Notation.symbol(
        "(" + String.join(",", all.stream().map(Symbol::unicode).toList()) + ")",
        "(" + String.join(", ", all.stream().map(Symbol::latex).toList()) + ")");
  }

  /** The mean over rows that are data, or drawn as {@code source} says. */
  static Notation overRows(Symbol row, Symbol source, Notation x) {
    return new Notation.Enclosed(
        Notation.symbol(
            "𝔼_" + row.unicode() + "∼" + source.unicode() + "[",
            "\\mathbb{E}_{" + row.latex() + " \\sim " + source.latex() + "}\\left["),
        x,
        BRACKET_CLOSE);
  }

  /** {@code P(a > b)}: how probable it is that the first is preferred. */
  static Notation preferred(Symbol preference, Notation first, Notation second) {
    return new Notation.Called(
        preference, List.of(WrittenNotation.relation(first, "≻", "\\succ", second)));
  }

  /** The data. */
  static final Symbol DATA = Notation.symbol("𝒟", "\\mathcal{D}");

  /** Names in the order of a list, joined. */
  static Notation list(List<Notation> items) {
    List<Notation> pieces = new ArrayList<>();
    for (int i = 0; i < items.size(); i++) {
      if (i > 0) {
        pieces.add(COMMA);
      }
      pieces.add(items.get(i));
    }
    return new Notation.Row(pieces);
  }
}
