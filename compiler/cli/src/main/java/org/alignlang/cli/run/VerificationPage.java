package org.alignlang.cli.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.alignlang.cli.SpecFile;
import org.alignlang.cli.Summary;
import org.alignlang.cli.UserError;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.runtime.experiment.ClaimVerdict;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.alignlang.runtime.experiment.TrainingId;
import org.alignlang.runtime.report.SvgChart;

/**
 * A page in Markdown about experiments that were verified: what each claims, what was measured,
 * what becomes of the claims in the controls, and a picture.
 */
final class VerificationPage {
  private static final int MOST_CHARTS = 2;

  private final Path folder;
  private final Map<String, List<Entry>> entries = new LinkedHashMap<>();
  private final Map<String, String> names = new LinkedHashMap<>();

  private record Entry(
      Verification.Verified verified, String documentation, String picture, String title) {}

  VerificationPage(Path folder) {
    this.folder = folder;
  }

  /** Adds an experiment, and draws its picture. */
  void add(
      Verification.Verified verified,
      SpecFile spec,
      Declaration.ExperimentDeclaration experiment,
      ExperimentResult result) {
    String name = name(spec.source().path());
    String picture = "";
    if (!result.charts().isEmpty()) {
      picture = name + "-" + experiment.name() + ".svg";
      write(
          picture,
          SvgChart.stack(
              result.charts().subList(0, Math.min(MOST_CHARTS, result.charts().size()))));
    }
    add(spec, new Entry(verified, experiment.documentation(), picture, experiment.name()));
  }

  /** Adds an experiment that could not be run. */
  void add(
      Verification.Verified verified, SpecFile spec, Declaration.ExperimentDeclaration experiment) {
    add(spec, new Entry(verified, experiment.documentation(), "", experiment.name()));
  }

  private void add(SpecFile spec, Entry entry) {
    name(spec.source().path());
    entries.computeIfAbsent(spec.source().path(), _ -> new ArrayList<>()).add(entry);
  }

  /** What a spec is called on the page: its file's name, with a number where another has it. */
  private String name(String path) {
    String known = names.get(path);
    if (known != null) {
      return known;
    }
    String stem = stem(path);
    String name = stem;
    for (int i = 2; names.containsValue(name); i++) {
      name = stem + "-" + i;
    }
    names.put(path, name);
    return name;
  }

  /**
   * Writes the page.
   *
   * @return its path
   */
  Path write(Verification.Settings settings) {
    List<Verification.Verified> all =
        entries.values().stream().flatMap(List::stream).map(Entry::verified).toList();
    long claims = all.stream().mapToLong(v -> v.claims().size()).sum();
    long held = all.stream().flatMap(v -> v.claims().stream()).filter(c -> c.passed()).count();
    long controls = all.stream().mapToLong(v -> v.controls().size()).sum();
    long failing = all.stream().flatMap(v -> v.controls().stream()).filter(c -> c.passed()).count();
    double seconds = all.stream().mapToDouble(Verification.Verified::seconds).sum();
    StringBuilder text = new StringBuilder();
    text.append("# What the experiments show\n\n")
        .append(
            "Written by `align verify %s --page ...`, first seed %d. %s; %d of %d claims hold. In %d of %s with what the claims are about taken away a claim fails, as one must. %s s in all.\n\n"
                .formatted(
                    String.join(" ", settings.specs()),
                    settings.seed(),
                    Summary.counted(all.size(), "experiment"),
                    held,
                    claims,
                    failing,
                    Summary.counted((int) controls, "control"),
                    String.format(Locale.ROOT, "%.0f", seconds)));
    text.append("| spec | experiment | claims that hold | controls | seconds |\n")
        .append("|---|---|---|---|---|\n");
    entries.forEach((path, own) -> {
      for (Entry entry : own) {
        Verification.Verified v = entry.verified();
        text.append(
            "| [%s](#%s) | %s | %d of %d | %s | %s |\n"
                .formatted(
                    name(path),
                    anchor(name(path)),
                    v.experiment(),
                    v.claims().stream().filter(ClaimVerdict::passed).count(),
                    v.claims().size(),
                    v.controls().isEmpty()
                        ? ""
                        : v.controls().stream()
                            .map(control ->
                                "%d of %d claims fail"
                                    .formatted(control.failing(), control.claims().size()))
                            .collect(Collectors.joining("<br>")),
                    String.format(Locale.ROOT, "%.1f", v.seconds())));
      }
    });
    entries.forEach((path, own) -> {
      text.append("\n## ").append(name(path)).append('\n');
      own.forEach(entry -> section(entry, text));
    });
    return write("README.md", text.toString());
  }

  private static void section(Entry entry, StringBuilder text) {
    Verification.Verified verified = entry.verified();
    text.append("\n### ").append(entry.title()).append("\n\n");
    if (!entry.documentation().isBlank()) {
      text.append(entry.documentation().strip()).append("\n\n");
    }
    text.append("| | claim | at | left | right | verdict |\n|---|---|---|---|---|---|\n");
    rows("", verified.claims(), text);
    for (Verification.Control control : verified.controls()) {
      rows("control: " + control.text(), control.claims(), text);
      if (!control.error().isEmpty()) {
        text.append(
            "| control: %s | %s | | | | |\n"
                .formatted(cell(control.text()), cell(control.error())));
      }
    }
    if (!verified.error().isEmpty()) {
      text.append('\n').append(verified.error()).append('\n');
    }
    if (!entry.picture().isEmpty()) {
      text.append("\n![%s](%s)\n".formatted(entry.title(), entry.picture()));
    }
  }

  private static void rows(String run, List<ClaimVerdict> claims, StringBuilder text) {
    for (ClaimVerdict claim : claims) {
      for (ClaimVerdict.Part part : claim.parts()) {
        text.append(
            "| %s | %s`%s` | %s | %s | %s | %s |\n"
                .formatted(
                    cell(run),
                    claim.message().isEmpty() || !run.isEmpty()
                        ? ""
                        : cell(claim.message()) + "<br>",
                    cell(claim.text()),
                    part.labels().isEmpty() ? "" : cell(TrainingId.showLabels(part.labels())),
                    part.left().showShort(),
                    part.right().showShort(),
                    part.passed() ? "holds" : "fails"));
      }
    }
  }

  private static String cell(String text) {
    return text.replace("|", "\\|").replace('\n', ' ');
  }

  /** A spec's file name without its ending. */
  private static String stem(String path) {
    return path.substring(path.lastIndexOf('/') + 1).replaceAll("\\.align$", "");
  }

  private static String anchor(String heading) {
    return heading
        .toLowerCase(Locale.ROOT)
        .chars()
        .filter(c -> Character.isLetterOrDigit(c) || c == '-' || c == '_')
        .mapToObj(Character::toString)
        .collect(Collectors.joining());
  }

  private Path write(String name, String text) {
    Path file = folder.resolve(name);
    try {
      Files.createDirectories(folder);
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UserError("`%s` cannot be written: %s".formatted(file, e.getMessage()));
    }
    return file;
  }
}
