package org.alignlang.compiler.fix;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.source.SourceFile;

/**
 * Makes the changes that the findings of a text offer, as many at once as do not overlap, and again
 * until none is left. Every change is checked: one that leaves its finding standing, or makes the
 * text worse, is not kept.
 *
 * <p>Worse is what has more findings of the earliest phase that differs: mending the syntax may
 * bring to light what was wrong behind it, but nothing may break what was right before.
 */
public final class FixApplier {
  /** Changes that bring others to light are followed so far. */
  private static final int MOST_ROUNDS = 50;

  private final Function<SourceFile, List<Diagnostic>> check;
  private final Predicate<Fix> wanted;
  private final Set<String> refused = new HashSet<>();

  /**
   * A change that was made.
   *
   * @param diagnostic what it mends, at its place in the text before this change
   * @param fix what was done
   */
  public record Applied(Diagnostic diagnostic, Fix fix) {}

  /**
   * What came of it.
   *
   * @param text the text afterwards
   * @param applied what was done, in order
   * @param left what is found in the text afterwards
   */
  public record Outcome(String text, List<Applied> applied, List<Diagnostic> left) {
    public Outcome {
      applied = List.copyOf(applied);
      left = List.copyOf(left);
    }
  }

  /**
   * @param check what is found in a text
   * @param suggestions whether changes are made that are not safe
   */
  public FixApplier(Function<SourceFile, List<Diagnostic>> check, boolean suggestions) {
    this.check = check;
    this.wanted = fix -> fix.safe() || suggestions;
  }

  /** Mends a text. */
  public Outcome apply(SourceFile source) {
    SourceFile current = source;
    List<Diagnostic> findings = check.apply(current);
    List<Applied> applied = new ArrayList<>();
    Set<String> seen = new HashSet<>(Set.of(source.text()));
    for (int round = 0; round < MOST_ROUNDS; round++) {
      List<Applied> offered = offered(current, findings);
      if (offered.isEmpty()) {
        break;
      }
      Optional<Step> step = step(current, findings, offered, seen);
      if (step.isEmpty() && offered.size() > 1) {
        // Together they are no good: one of them may be.
        for (Applied one : offered) {
          step = step(current, findings, List.of(one), seen);
          if (step.isPresent()) {
            break;
          }
          refused.add(key(one));
        }
      } else if (step.isEmpty()) {
        refused.add(key(offered.getFirst()));
      }
      if (step.isPresent()) {
        current = step.get().source();
        findings = step.get().findings();
        applied.addAll(step.get().made());
        seen.add(current.text());
      }
    }
    return new Outcome(current.text(), applied, findings);
  }

  private record Step(SourceFile source, List<Diagnostic> findings, List<Applied> made) {}

  /** The first change that each finding offers, without those that overlap one before. */
  private List<Applied> offered(SourceFile source, List<Diagnostic> findings) {
    List<Applied> offered = new ArrayList<>();
    for (Diagnostic finding : findings) {
      finding.fixes().stream()
          .filter(wanted)
          .filter(f -> f.source() == source)
          .map(f -> new Applied(finding, f))
          .filter(a -> !refused.contains(key(a)))
          .findFirst()
          .filter(a -> offered.stream().noneMatch(o -> o.fix().overlaps(a.fix())))
          .ifPresent(offered::add);
    }
    return offered;
  }

  /** A change by what it is about, wherever other changes move it. */
  private static String key(Applied applied) {
    return applied.diagnostic().code().code()
        + applied.diagnostic().message()
        + applied.fix().title()
        + applied
            .fix()
            .source()
            .lineText(applied.fix().source().line(applied.fix().edits().getFirst().span().start()));
  }

  private Optional<Step> step(
      SourceFile source, List<Diagnostic> before, List<Applied> changes, Set<String> seen) {
    String text = Fix.apply(source, changes.stream().map(Applied::fix).toList());
    if (seen.contains(text)) {
      return Optional.empty();
    }
    SourceFile changed = new SourceFile(source.path(), text);
    List<Diagnostic> after = check.apply(changed);
    boolean worse =
        after.stream().anyMatch(d -> d.code() == DiagnosticCode.INTERNAL)
            || Arrays.compare(badness(after), badness(before)) > 0;
    if (worse || changes.stream().anyMatch(c -> stands(c, changes, changed, after))) {
      return Optional.empty();
    }
    return Optional.of(new Step(changed, after, changes));
  }

  /** Whether a finding is still there, at the place to which the changes moved it. */
  private static boolean stands(
      Applied mended, List<Applied> changes, SourceFile changed, List<Diagnostic> after) {
    List<Edit> edits =
        changes.stream()
            .flatMap(c -> c.fix().edits().stream())
            .sorted(Comparator.comparingInt(e -> e.span().start()))
            .toList();
    int start = mended.diagnostic().span().start();
    int moved = start;
    for (Edit edit : edits) {
      if (edit.span().end() <= start && edit.span().start() < start) {
        moved += edit.replacement().length() - (edit.span().end() - edit.span().start());
      }
    }
    int place = moved;
    return after.stream()
        .anyMatch(d ->
            d.code() == mended.diagnostic().code()
                && d.message().equals(mended.diagnostic().message())
                && d.span().source() == changed
                && d.span().start() == place);
  }

  /** Errors by the phase that finds them, which hides the phases after it; then warnings. */
  private static int[] badness(List<Diagnostic> findings) {
    int[] counts = new int[6];
    for (Diagnostic finding : findings) {
      counts[
          switch (finding.severity()) {
            case ERROR -> phase(finding.code());
            case WARNING -> 4;
            case NOTE -> 5;
          }]++;
    }
    return counts;
  }

  private static int phase(DiagnosticCode code) {
    return switch (code) {
      // Of a whole objective, when each of its statements is right.
      case NO_PATH, UNUSED_PARAMETER, UNUSED_DATA, MISSING_ESTIMATE -> 2;
      default ->
          switch (code.code().charAt("ALN".length())) {
            case '1' -> 0;
            case '6', '9' -> 3;
            default -> 1;
          };
    };
  }
}
