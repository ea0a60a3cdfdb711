package org.alignlang.cli.run;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.alignlang.cli.Summary;
import org.alignlang.cli.run.Verification.Control;
import org.alignlang.cli.run.Verification.Verified;
import org.alignlang.compiler.diagnostic.Palette;
import org.alignlang.runtime.experiment.ClaimVerdict;
import org.alignlang.runtime.experiment.TrainingId;

/**
 * Verdicts for a terminal: a heading per experiment, then a line per claim with what it means and
 * what was measured. What fails is explained; what holds is, if details are asked for.
 */
final class VerdictText {
  private static final int WIDTH = 100;
  private static final String CLAIM = "  ";
  private static final String DETAIL = "      ";

  private final Palette palette;
  private final boolean details;
  private final StringBuilder out = new StringBuilder();
  private String spec = "";

  VerdictText(Palette palette, boolean details) {
    this.palette = palette;
    this.details = details;
  }

  /** The text of one more experiment. */
  String add(Verified one) {
    out.setLength(0);
    if (!one.spec().equals(spec)) {
      spec = one.spec();
      out.append('\n').append(palette.frame(spec)).append('\n');
    }
    if (!one.experiment().isEmpty()) {
      String seconds =
          (one.seeds().isEmpty() ? "" : one.seedsText() + "   ")
              + String.format(Locale.ROOT, "%.1f s", one.seconds());
      out.append(palette.bold(one.experiment()))
          .append(" ".repeat(room(one.experiment(), seconds)))
          .append(seconds)
          .append('\n');
    }
    if (!one.error().isEmpty()) {
      verdict(false, one.error(), "");
    }
    one.claims().forEach(this::claim);
    one.controls().forEach(this::control);
    return out.toString();
  }

  private static int room(String left, String right) {
    return Math.max(1, WIDTH - length(left) - length(right));
  }

  private void claim(ClaimVerdict claim) {
    verdict(
        claim.passed(),
        claim.message().isEmpty() ? claim.text() : claim.message(),
        measured(claim.parts()));
    if (!claim.passed()) {
      wrap(claim.place() + (claim.message().isEmpty() ? "" : ": " + claim.text()), DETAIL);
      claim.parts().stream()
          .filter(part -> details || !part.passed())
          .forEach(part -> wrap(part.sentence(), DETAIL));
    } else if (details) {
      details(claim);
    }
  }

  /** The condition, where the heading does not say it, and what was measured at each point. */
  private void details(ClaimVerdict claim) {
    if (!claim.message().isEmpty()) {
      wrap(claim.text(), DETAIL);
    }
    if (claim.parts().size() > 1) {
      claim.parts().forEach(part -> points(part, part.passed()));
    }
  }

  private void points(ClaimVerdict.Part part, boolean passed) {
    String where = DETAIL + (passed ? "" : "fails at ") + TrainingId.showLabels(part.labels());
    String numbers = numbers(part);
    out.append(where).append(" ".repeat(room(where, numbers))).append(numbers).append('\n');
  }

  private static String measured(List<ClaimVerdict.Part> parts) {
    return parts.size() == 1
        ? numbers(parts.getFirst())
        : "at %s".formatted(Summary.counted(parts.size(), "point"));
  }

  private static String numbers(ClaimVerdict.Part part) {
    return part.left().count() == 0
        ? ""
        : part.left().showShort() + " against " + part.right().showShort();
  }

  private void control(Control control) {
    long failing = control.failing();
    verdict(
        control.passed(),
        "control: " + control.text(),
        control.error().isEmpty()
            ? "%d of %s fail%s"
                .formatted(
                    failing,
                    Summary.counted(control.claims().size(), "claim"),
                    failing == 1 ? "s" : "")
            : "");
    if (!control.error().isEmpty()) {
      wrap(
          "%s: it did not come to its end: %s".formatted(control.place(), control.error()), DETAIL);
    } else if (!control.passed()) {
      wrap(control.place() + ": all claims hold here too, so they show nothing of it", DETAIL);
    }
    if (!details) {
      return;
    }
    for (ClaimVerdict claim : control.claims()) {
      if (claim.passed() == control.passed()) {
        continue;
      }
      wrap((claim.passed() ? "holds: " : "fails: ") + claim.text(), DETAIL);
      claim.parts().stream()
          .filter(part -> part.passed() != control.passed())
          .forEach(part -> points(part, true));
    }
  }

  /** A verdict with its sentence, and what was measured at the right end of the line. */
  private void verdict(boolean passed, String sentence, String measured) {
    int room = WIDTH - CLAIM.length() - 2 - (measured.isEmpty() ? 0 : length(measured) + 2);
    List<String> lines = lines(sentence, Math.max(room, WIDTH / 2));
    String mark = passed ? palette.good("✓") : palette.error("✗");
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      out.append(CLAIM).append(i == 0 ? mark : " ").append(' ').append(line);
      if (i == lines.size() - 1 && !measured.isEmpty()) {
        int gap = WIDTH - CLAIM.length() - 2 - length(line) - length(measured);
        out.append(" ".repeat(Math.max(2, gap))).append(measured);
      }
      out.append('\n');
    }
  }

  private void wrap(String text, String indent) {
    lines(text, WIDTH - indent.length())
        .forEach(line -> out.append(indent).append(line).append('\n'));
  }

  /** A text in lines of at most so many columns, broken between words. */
  private static List<String> lines(String text, int width) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.strip().split("\\s+")) {
      if (!line.isEmpty() && length(line.toString()) + 1 + length(word) > width) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }

  private static int length(String text) {
    return text.codePointCount(0, text.length());
  }
}
