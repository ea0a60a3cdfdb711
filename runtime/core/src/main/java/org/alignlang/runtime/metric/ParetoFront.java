package org.alignlang.runtime.metric;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The points of a set that no other point of it dominates, where every coordinate is to be large. A
 * point dominates another if it is at least as large in every coordinate and larger in one.
 */
public final class ParetoFront {
  private final List<double[]> points;
  private final int objectives;

  private ParetoFront(List<double[]> points, int objectives) {
    this.points = points;
    this.objectives = objectives;
  }

  /**
   * The front of a set of points.
   *
   * @param candidates at least one point, of 2 or 3 finite coordinates each
   */
  public static ParetoFront of(List<double[]> candidates) {
    int objectives = candidates.getFirst().length;
    if (objectives < 2 || objectives > 3) {
      throw new IllegalArgumentException("a front is of 2 or 3 objectives, not " + objectives);
    }
    for (double[] candidate : candidates) {
      if (candidate.length != objectives || !Arrays.stream(candidate).allMatch(Double::isFinite)) {
        throw new IllegalArgumentException(
            "a front is of points with %d finite numbers each".formatted(objectives));
      }
    }
    List<double[]> kept = new ArrayList<>();
    for (double[] candidate : candidates) {
      boolean beaten =
          candidates.stream().anyMatch(other -> dominates(other, candidate))
              || kept.stream().anyMatch(other -> Arrays.equals(other, candidate));
      if (!beaten) {
        kept.add(candidate.clone());
      }
    }
    return new ParetoFront(kept, objectives);
  }

  private static boolean dominates(double[] a, double[] b) {
    boolean larger = false;
    for (int m = 0; m < a.length; m++) {
      if (a[m] < b[m]) {
        return false;
      }
      larger |= a[m] > b[m];
    }
    return larger;
  }

  /** The points, in the order in which they were given, each once. */
  public List<double[]> points() {
    return points.stream().map(double[]::clone).toList();
  }

  /**
   * The volume of what the front dominates and what in turn dominates a reference point (Zitzler
   * and Thiele 1999). Points that do not lie above the reference in every coordinate add nothing.
   */
  public double hypervolume(double[] reference) {
    if (reference.length != objectives) {
      throw new IllegalArgumentException(
          "the reference point has %d numbers, and there are %d objectives"
              .formatted(reference.length, objectives));
    }
    List<double[]> above =
        points.stream()
            .map(point -> {
              double[] shifted = new double[objectives];
              Arrays.setAll(shifted, m -> Math.max(point[m] - reference[m], 0));
              return shifted;
            })
            .toList();
    return objectives == 2 ? area(above) : volume(above);
  }

  /** The area under a staircase from the origin. */
  private static double area(List<double[]> points) {
    List<double[]> sorted = new ArrayList<>(points);
    sorted.sort(Comparator.comparingDouble((double[] p) -> p[0]).reversed());
    double area = 0;
    double height = 0;
    for (double[] point : sorted) {
      area += point[0] * Math.max(point[1] - height, 0);
      height = Math.max(height, point[1]);
    }
    return area;
  }

  /** Slices between neighbouring third coordinates, each with the area of the points above it. */
  private static double volume(List<double[]> points) {
    List<double[]> sorted = new ArrayList<>(points);
    sorted.sort(Comparator.comparingDouble((double[] p) -> p[2]).reversed());
    double volume = 0;
    for (int i = 0; i < sorted.size(); i++) {
      double below = i + 1 < sorted.size() ? sorted.get(i + 1)[2] : 0;
      volume += (sorted.get(i)[2] - below) * area(sorted.subList(0, i + 1));
    }
    return volume;
  }

  /**
   * How far neighbours on the front lie apart: per objective the squared gaps between sorted
   * values, summed over gaps and objectives and divided by one less than the number of points (Xu
   * et al. 2020). 0 for a single point.
   */
  public double sparsity() {
    if (points.size() < 2) {
      return 0;
    }
    double sum = 0;
    for (int m = 0; m < objectives; m++) {
      int objective = m;
      double[] values = points.stream().mapToDouble(point -> point[objective]).sorted().toArray();
      for (int i = 1; i < values.length; i++) {
        sum += (values[i] - values[i - 1]) * (values[i] - values[i - 1]);
      }
    }
    return sum / (points.size() - 1);
  }

  /**
   * The expectation of {@code max over points of w . point} for weights {@code w} uniform on the
   * simplex: what users with linear preferences get who each choose the best point for them
   * (Zintgraf et al. 2015). Exact, as each point is best on a convex cell of the simplex.
   */
  public double expectedUtility() {
    double sum = 0;
    for (double[] point : points) {
      sum += objectives == 2 ? onSegment(point) : onTriangle(point);
    }
    return sum;
  }

  /** The integral of a point's utility over the weights (w, 1 - w) for which it is best. */
  private double onSegment(double[] point) {
    double low = 0;
    double high = 1;
    for (double[] other : points) {
      // w (p0 - o0) + (1 - w) (p1 - o1) >= 0
      double at0 = point[1] - other[1];
      double at1 = point[0] - other[0];
      if (at0 < 0 && at1 > 0) {
        low = Math.max(low, at0 / (at0 - at1));
      } else if (at0 > 0 && at1 < 0) {
        high = Math.min(high, at0 / (at0 - at1));
      }
    }
    double middle = (low + high) / 2;
    return high > low ? (high - low) * (middle * point[0] + (1 - middle) * point[1]) : 0;
  }

  /** The same over weights (u, v, 1 - u - v), divided by the triangle's area of 1/2. */
  private double onTriangle(double[] point) {
    List<double[]> cell = List.of(new double[] {0, 0}, new double[] {1, 0}, new double[] {0, 1});
    for (double[] other : points) {
      double[] better = {point[0] - other[0], point[1] - other[1], point[2] - other[2]};
      cell = clip(cell, better);
      if (cell.size() < 3) {
        return 0;
      }
    }
    double sum = 0;
    for (int i = 1; i + 1 < cell.size(); i++) {
      double[] a = cell.get(0);
      double[] b = cell.get(i);
      double[] c = cell.get(i + 1);
      double area = Math.abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2;
      double u = (a[0] + b[0] + c[0]) / 3;
      double v = (a[1] + b[1] + c[1]) / 3;
      sum += area * dot(u, v, point);
    }
    return 2 * sum;
  }

  private static double dot(double u, double v, double[] point) {
    return u * point[0] + v * point[1] + (1 - u - v) * point[2];
  }

  /**
   * The part of a convex polygon of weights where {@code w . better >= 0} (Sutherland, Hodgman).
   */
  private static List<double[]> clip(List<double[]> polygon, double[] better) {
    List<double[]> kept = new ArrayList<>();
    for (int i = 0; i < polygon.size(); i++) {
      double[] from = polygon.get(i);
      double[] to = polygon.get((i + 1) % polygon.size());
      double atFrom = dot(from[0], from[1], better);
      double atTo = dot(to[0], to[1], better);
      if (atFrom >= 0) {
        kept.add(from);
      }
      if (atFrom >= 0 != atTo >= 0) {
        double t = atFrom / (atFrom - atTo);
        kept.add(new double[] {from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1])});
      }
    }
    return kept;
  }
}
