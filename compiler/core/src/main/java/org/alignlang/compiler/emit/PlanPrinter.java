package org.alignlang.compiler.emit;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.plan.Plan;
import org.alignlang.compiler.plan.Planner;
import org.alignlang.compiler.plan.Site.Scope;
import org.alignlang.compiler.plan.Stages;

/** Prints how an objective is computed: its loops in order, and what they cost. */
public final class PlanPrinter {
  private PlanPrinter() {}

  /**
   * The stages of an objective, a line each, and a line about each sequence's tokens and logits.
   */
  public static String print(CheckedObjective objective) {
    Plan plan = Planner.plan(objective.program(), objective.builder());
    Stages stages = Stages.of(plan);
    StringBuilder text = new StringBuilder("objective ").append(objective.name()).append('\n');
    int pass = -2;
    for (Stages.Stage stage : stages.stages()) {
      if (stage.pass() != pass) {
        pass = stage.pass();
        text.append(pass < 0 ? "  before the rows\n" : "  pass " + (pass + 1) + " over the rows\n");
      }
      String line = "    " + place(stage.scope(), stage.owner());
      if (stage.visit() > 0) {
        line += ", visit " + stage.visit();
      }
      line += " ".repeat(Math.max(1, 26 - line.length())) + work(stage);
      text.append(line).append('\n');
    }
    for (Stages.Stream stream : stages.streams()) {
      text.append("  ").append(summary(stream)).append('\n');
    }
    sorts(stages).ifPresent(sorts -> text.append("  ").append(sorts).append('\n'));
    return text.toString();
  }

  private static String place(Scope scope, String owner) {
    return switch (scope) {
      case BATCH -> "batch";
      case GROUP -> "groups";
      case ROW -> "row";
      case TOKEN -> "token(" + owner + ")";
      case VOCAB -> "vocab(" + owner + ")";
    };
  }

  private static String work(Stages.Stage stage) {
    List<String> parts = new ArrayList<>();
    if (!stage.reads().isEmpty()) {
      parts.add("reads " + String.join(", ", stage.reads()));
    }
    if (stage.kept() > 0) {
      parts.add("reads " + stage.kept() + " kept");
    }
    if (stage.sums() > 0) {
      parts.add(stage.sums() + (stage.sums() == 1 ? " sum" : " sums"));
    }
    if (stage.sorts() > 0) {
      parts.add(stage.sorts() + (stage.sorts() == 1 ? " sort" : " sorts"));
    }
    if (stage.keeps() > 0) {
      parts.add("keeps " + stage.keeps());
    }
    if (!stage.writes().isEmpty()) {
      parts.add("writes grad." + String.join(", grad.", stage.writes()));
    }
    parts.add(stage.flops() + " flops");
    return String.join("; ", parts);
  }

  /** What is sorted of rows and tokens, which the operations per element leave out, if it is. */
  public static Optional<String> sorts(Stages stages) {
    int sorts =
        stages.stages().stream()
            .filter(s -> s.scope() != Scope.VOCAB)
            .mapToInt(Stages.Stage::sorts)
            .sum();
    return sorts == 0
        ? Optional.empty()
        : Optional.of(
            "%d %s of all rows or tokens besides: n elements take n log2 n comparisons each time"
                .formatted(sorts, sorts == 1 ? "sort" : "sorts"));
  }

  /** What the tokens or logits of a sequence cost, in a sentence. */
  public static String summary(Stages.Stream stream) {
    String visits = stream.visits() == 1 ? "1 visit" : stream.visits() + " visits";
    String element = stream.scope() == Scope.VOCAB ? "logit" : "token";
    String uncached =
        stream.bytes() == stream.bytesUncached()
            ? ""
            : " (" + stream.bytesUncached() + " where visits do not share a cache)";
    String sorts =
        stream.sorts() == 0
            ? ""
            : ", %d %s among them"
                .formatted(stream.sorts(), stream.sorts() == 1 ? "sort" : "sorts");
    return "%s: %s, %s%s; %d bytes%s and %d flops per %s"
        .formatted(
            place(stream.scope(), stream.owner()),
            switch (stream.coupling()) {
              case SEPARABLE -> "separable";
              case ROW -> "coupled within a row";
              case BATCH -> "coupled to other rows";
            },
            visits,
            sorts,
            stream.bytes(),
            uncached,
            stream.flops(),
            element);
  }
}
