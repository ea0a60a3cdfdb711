package org.alignlang.compiler.ast;

import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.source.Span;

/** A statement of an experiment. */
public sealed interface ExperimentStatement {

  Span span();

  /** {@code steps 2000}, {@code task bandit(arms = 64)}. */
  record Setting(Span span, Span nameSpan, String name, Expression value)
      implements ExperimentStatement {}

  /** {@code record a = ..., b = ...}. */
  record Record(Span span, List<Recorded> recorded) implements ExperimentStatement {}

  record Recorded(Span span, Span nameSpan, String name, Expression value) {}

  /** {@code plot vertical against horizontal by name "title"}. */
  record Plot(
      Span span,
      Expression vertical,
      Expression horizontal,
      Optional<String> by,
      Optional<String> title)
      implements ExperimentStatement {}

  /** {@code control "what is off" { settings }}. */
  record Control(Span span, String text, List<Setting> settings) implements ExperimentStatement {
    public Control {
      settings = List.copyOf(settings);
    }
  }

  /** {@code expect condition where selection "message"}. */
  record Expect(Span span, Claim claim, Optional<Expression> where, Optional<String> message)
      implements ExperimentStatement {}

  /** What is expected. */
  sealed interface Claim {
    Span span();

    record Holds(Span span, Expression condition) implements Claim {}

    /** {@code left within tolerance of right}. */
    record Within(Span span, Expression left, Expression tolerance, Expression right)
        implements Claim {}
  }
}
