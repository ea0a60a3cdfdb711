package org.alignlang.runtime.experiment;

import java.util.Map;
import java.util.TreeSet;
import org.alignlang.kernel.Signature;
import org.alignlang.runtime.argument.Names;
import org.alignlang.runtime.experiment.ExperimentPlan.Point;
import org.alignlang.runtime.experiment.ExperimentPlan.Study;
import org.alignlang.runtime.experiment.ExperimentPlan.Training;

/** The values of a sweep point by name: its labels and its kernel's parameters. */
final class PointValues {
  private PointValues() {}

  /**
   * A swept or fixed parameter's value.
   *
   * @throws ExperimentException if the point has no such value, or it is no number
   */
  static double of(Point point, String name) {
    String label = point.labels().get(name);
    if (label != null) {
      try {
        return Double.parseDouble(label);
      } catch (NumberFormatException e) {
        throw new ExperimentException(
            "`%s` is `%s` at this point, which is no number".formatted(name, label), e);
      }
    }
    TreeSet<String> known = new TreeSet<>(point.labels().keySet());
    switch (point) {
      case Training training -> {
        for (Training objective : training.objectives()) {
          Signature signature = objective.kernel().signature();
          for (int i = 0; i < signature.parameters().size(); i++) {
            if (signature.parameters().get(i).name().equals(name)) {
              return objective.parameters()[i];
            }
            known.add(signature.parameters().get(i).name());
          }
        }
      }
      case Study study -> {
        if (study.study().arguments().get(name) instanceof Double value) {
          return value;
        }
        known.addAll(study.study().arguments().keySet());
      }
    }
    throw new ExperimentException(
        Names.unknown("swept value or parameter", name, known).getMessage());
  }

  /** Whether a point's labels have the given values; numbers are compared as numbers. */
  static boolean matches(Point point, Map<String, String> wanted) {
    return wanted.entrySet().stream()
        .allMatch(entry -> {
          String label = point.labels().get(entry.getKey());
          return label != null && equal(label, entry.getValue());
        });
  }

  private static boolean equal(String label, String wanted) {
    if (label.equals(wanted)) {
      return true;
    }
    try {
      return Double.parseDouble(label) == Double.parseDouble(wanted);
    } catch (NumberFormatException e) {
      return false;
    }
  }
}
