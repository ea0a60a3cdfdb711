package org.alignlang.compiler.explain;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Something explained: headings, words, equations and tables, to be shown in one of several forms.
 */
public final class Explanation {

  /** How an explanation is shown. */
  public enum Format {
    /** Plain text with Unicode mathematics. */
    UNICODE,
    /** Markdown with LaTeX between dollar signs, as KaTeX and GitHub read it. */
    MARKDOWN,
    /** A LaTeX fragment; needs amsmath and amssymb. */
    LATEX
  }

  /** A part of an explanation. */
  sealed interface Block {
    record Heading(int depth, Inline text) implements Block {}

    record Paragraph(Inline text) implements Block {}

    /** Equations that belong together. */
    record Equations(List<Equation> lines) implements Block {}

    record Table(List<String> head, List<List<Inline>> rows) implements Block {}
  }

  /** {@code left RELATION right}; the left side may be words. */
  record Equation(Notation left, Notation.Symbol relation, Notation right) {}

  /** Words with mathematics in between; words may hold {@code `code`}. */
  record Inline(List<Object> pieces) {
    /** Strings are words, notations mathematics. */
    static Inline of(Object... pieces) {
      return new Inline(List.of(pieces));
    }
  }

  private final List<Block> blocks = new ArrayList<>();

  Explanation heading(int depth, Object... text) {
    blocks.add(new Block.Heading(depth, Inline.of(text)));
    return this;
  }

  Explanation paragraph(Object... text) {
    blocks.add(new Block.Paragraph(Inline.of(text)));
    return this;
  }

  /** Documentation as written. */
  void documentation(String text) {
    if (!text.isBlank()) {
      paragraph(text.strip());
    }
  }

  Explanation equations(List<Equation> lines) {
    if (!lines.isEmpty()) {
      blocks.add(new Block.Equations(List.copyOf(lines)));
    }
    return this;
  }

  Explanation equation(Notation left, Notation.Symbol relation, Notation right) {
    return equations(List.of(new Equation(left, relation, right)));
  }

  Explanation table(List<String> head, List<List<Inline>> rows) {
    if (!rows.isEmpty()) {
      blocks.add(new Block.Table(head, rows));
    }
    return this;
  }

  /** The text of the explanation in a form. */
  public String render(Format format) {
    StringBuilder out = new StringBuilder();
    for (Block block : blocks) {
      if (!out.isEmpty()) {
        out.append('\n');
      }
      out.append(
          switch (format) {
            case UNICODE -> unicode(block);
            case MARKDOWN -> markdown(block);
            case LATEX -> latex(block);
          });
    }
    return out.toString();
  }

  // Unicode.

  private static String unicode(Block block) {
    return switch (block) {
      case Block.Heading heading -> {
        String text = plain(heading.text());
        yield heading.depth() == 1 ? text + "\n" + "─".repeat(width(text)) + "\n" : text + "\n";
      }
      case Block.Paragraph paragraph -> wrapped(plain(paragraph.text()));
      case Block.Equations equations -> {
        StringBuilder out = new StringBuilder();
        // Left sides stand flush with the relation, except long ones.
        int width =
            equations.lines().stream()
                .mapToInt(e -> width(NotationPrinter.unicode(e.left())))
                .filter(w -> w <= 16)
                .max()
                .orElse(0);
        for (Equation equation : equations.lines()) {
          int lead = Math.max(0, width - width(NotationPrinter.unicode(equation.left())));
          for (String line :
              NotationPrinter.lines(
                  equation.left(), equation.relation().unicode(), equation.right())) {
            out.append("    ").append(" ".repeat(lead)).append(line.stripTrailing()).append('\n');
          }
        }
        yield out.toString();
      }
      case Block.Table table -> {
        List<List<String>> rows = new ArrayList<>();
        rows.add(table.head());
        table.rows().forEach(r -> rows.add(r.stream().map(Explanation::plain).toList()));
        StringBuilder out = new StringBuilder();
        for (List<String> row : rows) {
          StringBuilder line = new StringBuilder("  ");
          for (int i = 0; i < row.size(); i++) {
            int column = i;
            int widest = rows.stream().mapToInt(r -> width(r.get(column))).max().orElse(0);
            line.append("  ").append(row.get(i)).append(" ".repeat(widest - width(row.get(i))));
          }
          out.append(line.toString().stripTrailing()).append('\n');
        }
        yield out.toString();
      }
    };
  }

  private static int width(String text) {
    return text.codePointCount(0, text.length());
  }

  private static String plain(Inline inline) {
    return inline.pieces().stream()
        .map(p -> p instanceof Notation n ? NotationPrinter.unicode(n) : p.toString())
        .collect(Collectors.joining());
  }

  /** Lines of at most 96 characters; what is broken by hand stays broken. */
  private static String wrapped(String text) {
    StringBuilder out = new StringBuilder();
    for (String paragraph : text.split("\n\n", -1)) {
      StringBuilder line = new StringBuilder(" ");
      for (String word : paragraph.split("\\s+")) {
        if (width(line.toString()) + 1 + width(word) > 96) {
          out.append(line).append('\n');
          line = new StringBuilder(" ");
        }
        line.append(' ').append(word);
      }
      out.append(line).append('\n');
    }
    return out.toString();
  }

  // Markdown.

  private static String markdown(Block block) {
    return switch (block) {
      case Block.Heading heading ->
          "#".repeat(heading.depth()) + " " + inDollars(heading.text()) + "\n";
      case Block.Paragraph paragraph -> inDollars(paragraph.text()) + "\n";
      case Block.Equations equations -> "$$\n" + aligned(equations) + "\n$$\n";
      case Block.Table table -> {
        StringBuilder out = new StringBuilder("| " + String.join(" | ", table.head()) + " |\n");
        out.append("|").append(" --- |".repeat(table.head().size())).append('\n');
        for (List<Inline> row : table.rows()) {
          out.append("| ")
              .append(
                  row.stream()
                      .map(Explanation::inDollars)
                      .map(cell -> cell.replace("\\lvert", "\\vert").replace("|", "\\|"))
                      .collect(Collectors.joining(" | ")))
              .append(" |\n");
        }
        yield out.toString();
      }
    };
  }

  private static String inDollars(Inline inline) {
    return inline.pieces().stream()
        .map(p -> p instanceof Notation n ? "$" + NotationPrinter.latex(n) + "$" : p.toString())
        .collect(Collectors.joining());
  }

  private static String aligned(Block.Equations equations) {
    return equations.lines().stream()
        .map(e ->
            NotationPrinter.latex(e.left())
                + " &"
                + e.relation().latex()
                + " "
                + NotationPrinter.latex(e.right()))
        .collect(Collectors.joining(" \\\\\n", "\\begin{aligned}\n", "\n\\end{aligned}"));
  }

  // LaTeX.

  private static String latex(Block block) {
    return switch (block) {
      case Block.Heading heading ->
          (heading.depth() == 1 ? "\\section*{" : "\\subsection*{")
              + inLatex(heading.text())
              + "}\n";
      case Block.Paragraph paragraph -> inLatex(paragraph.text()) + "\n";
      case Block.Equations equations -> "\\[\n" + aligned(equations) + "\n\\]\n";
      case Block.Table table -> {
        StringBuilder out =
            new StringBuilder("\\begin{tabular}{" + "l".repeat(table.head().size()) + "}\n");
        out.append(
            table.head().stream()
                .map(Explanation::escaped)
                .collect(Collectors.joining(" & ", "", " \\\\ \\hline\n")));
        for (List<Inline> row : table.rows()) {
          out.append(
              row.stream()
                  .map(Explanation::inLatex)
                  .collect(Collectors.joining(" & ", "", " \\\\\n")));
        }
        yield out.append("\\end{tabular}\n").toString();
      }
    };
  }

  private static String inLatex(Inline inline) {
    return inline.pieces().stream()
        .map(p ->
            p instanceof Notation n ? "$" + NotationPrinter.latex(n) + "$" : escaped(p.toString()))
        .collect(Collectors.joining());
  }

  /** Mathematics within words, for which text fonts have no letters. */
  private static final Map<String, String> SYMBOLS =
      Map.ofEntries(
          Map.entry("π", "\\pi"),
          Map.entry("σ", "\\sigma"),
          Map.entry("ν", "\\nu"),
          Map.entry("λ", "\\lambda"),
          Map.entry("β", "\\beta"),
          Map.entry("α", "\\alpha"),
          Map.entry("γ", "\\gamma"),
          Map.entry("φ", "\\varphi"),
          Map.entry("ξ", "\\xi"),
          Map.entry("Δ", "\\Delta"),
          Map.entry("∇", "\\nabla"),
          Map.entry("∑", "\\sum"),
          Map.entry("𝔼", "\\mathbb{E}"),
          Map.entry("′", "{}'"),
          Map.entry("‴", "{}'''"),
          Map.entry("⁺", "{}^{+}"),
          Map.entry("⁻", "{}^{-}"),
          Map.entry("¹", "{}^{1}"),
          Map.entry("³", "{}^{3}"),
          Map.entry("ᵗ", "{}^{t}"),
          Map.entry("ₜ", "{}_{t}"),
          Map.entry("₁", "{}_{1}"),
          Map.entry("ₖ", "{}_{k}"),
          Map.entry("∼", "\\sim"),
          Map.entry("≻", "\\succ"),
          Map.entry("≤", "\\le"),
          Map.entry("−", "-"),
          Map.entry("…", "\\ldots"));

  /** Words in LaTeX; what stands between backticks is set as code. */
  private static String escaped(String words) {
    StringBuilder out = new StringBuilder();
    boolean code = false;
    for (int i = 0; i < words.length(); i++) {
      char c = words.charAt(i);
      switch (c) {
        case '`' -> {
          out.append(code ? "}" : "\\texttt{");
          code = !code;
        }
        case '_', '%', '&', '#', '$', '{', '}' -> out.append('\\').append(c);
        case '^' -> out.append("\\^{}");
        case '~' -> out.append("\\~{}");
        case '\\' -> out.append("\\textbackslash{}");
        default -> {
          if (Character.isLowSurrogate(c)) {
            continue;
          }
          int point = words.codePointAt(i);
          String symbol = SYMBOLS.get(new String(Character.toChars(point)));
          out.append(symbol == null ? Character.toString(point) : "$" + symbol + "$");
        }
      }
    }
    return code ? out.append('}').toString() : out.toString();
  }
}
