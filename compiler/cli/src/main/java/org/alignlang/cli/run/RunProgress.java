package org.alignlang.cli.run;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.alignlang.cli.Output;
import org.alignlang.runtime.experiment.Progress;
import org.alignlang.runtime.experiment.TrainingId;
import org.alignlang.runtime.experiment.TrainingResult;
import org.jspecify.annotations.Nullable;

/**
 * Shows how far a run has come on standard error: as a bar that renews itself on a terminal, as a
 * line every few seconds elsewhere, or not at all.
 */
final class RunProgress implements Progress {
  /** How progress is shown. */
  enum Style {
    BAR,
    LINES,
    NONE
  }

  private static final long BAR_NANOS = 100_000_000L;
  private static final long LINE_NANOS = 5_000_000_000L;
  private static final int LINE_WIDTH = 78;
  private static final String ERASE = "\r\u001b[K";

  private final Output output;
  private final Style style;
  private final String name;
  private final Map<TrainingId, Integer> steps = new LinkedHashMap<>();
  private long total;
  private int trainings;
  private int finished;
  private long before;
  private long done;
  private long since;
  private long measured;
  private long lastShown;
  private @Nullable ProgressBar bar;

  /**
   * Follows an experiment.
   *
   * @param name what is run
   */
  RunProgress(Output output, Style style, String name) {
    this.output = output;
    this.style = style;
    this.name = name;
  }

  @Override
  public void started(int trainingCount, int stepsEach) {
    trainings = trainingCount;
    total = (long) trainingCount * stepsEach;
    // What is over in a moment needs no progress.
    lastShown = System.nanoTime() + 4 * BAR_NANOS;
  }

  @Override
  public void started(TrainingId training, int step) {
    steps.put(training, step);
    before += step;
    done += step;
  }

  @Override
  public void step(TrainingId training, int step) {
    done += step - steps.getOrDefault(training, 0);
    steps.put(training, step);
    show(System.nanoTime());
  }

  @Override
  public void finished(TrainingResult training) {
    finished++;
  }

  @Override
  public void message(String text) {
    end();
    output.note("note: " + text);
  }

  /** Takes the bar away. */
  void end() {
    if (bar != null) {
      bar.close();
      bar = null;
      output.err().print(ERASE);
      output.err().flush();
    }
  }

  private void show(long now) {
    long wait = style == Style.BAR ? BAR_NANOS : LINE_NANOS;
    if (style == Style.NONE || now - lastShown < wait) {
      return;
    }
    lastShown = now;
    if (style == Style.LINES) {
      output.note(
          "%s: %d of %d steps, %d of %d trainings complete%s"
              .formatted(name, done, total, finished, trainings, left(now)));
      return;
    }
    if (bar == null) {
      bar = bar();
    }
    bar.stepTo(done);
  }

  private ProgressBar bar() {
    return new ProgressBarBuilder()
        .setTaskName(name)
        .setInitialMax(total)
        .startsFrom(before, java.time.Duration.ZERO)
        .setStyle(ProgressBarStyle.UNICODE_BLOCK)
        .setUpdateIntervalMillis((int) (BAR_NANOS / 1_000_000))
        .setUnit(" steps", 1)
        .setConsumer(
            new DelegatingProgressBarConsumer(
                text -> {
                  output.err().print(ERASE + text);
                  output.err().flush();
                },
                LINE_WIDTH))
        .build();
  }

  /**
   * How long the rest takes, as fast as it went since the first line: until then kernels were
   * compiled. The first line says nothing of it.
   */
  private String left(long now) {
    if (since == 0) {
      since = now;
      measured = done;
      return "";
    }
    long made = done - measured;
    if (made <= 0) {
      return "";
    }
    double seconds = (now - since) / 1e9 * (total - done) / made;
    return seconds < 90
        ? String.format(Locale.ROOT, ", about %.0f s left", seconds)
        : String.format(Locale.ROOT, ", about %.0f min left", seconds / 60);
  }
}
