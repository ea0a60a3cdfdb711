package org.alignlang.runtime.experiment;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What one training recorded: named series over the same steps.
 *
 * @param steps the number of optimiser steps made before each record, ascending
 * @param values per name one number per record
 * @param methods per name how its numbers were found
 */
public record RecordedSeries(
    int[] steps, Map<String, double[]> values, Map<String, Method> methods) {
  public RecordedSeries {
    values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    methods = Collections.unmodifiableMap(new LinkedHashMap<>(methods));
  }

  /** Nothing recorded. */
  static final RecordedSeries EMPTY = new RecordedSeries(new int[0], Map.of(), Map.of());

  /** One record, by name. */
  Map<String, Double> at(int index) {
    Map<String, Double> record = new LinkedHashMap<>();
    values.forEach((name, series) -> record.put(name, series[index]));
    return record;
  }

  /** How many records there are. */
  public int count() {
    return steps.length;
  }

  /**
   * One series.
   *
   * @throws ExperimentException if nothing of that name is recorded; the message lists what is
   */
  public double[] of(String name) {
    double[] series = values.get(name);
    if (series == null) {
      throw new ExperimentException(
          "nothing called `%s` is recorded; recorded: %s"
              .formatted(name, String.join(", ", values.keySet())));
    }
    return series;
  }

  /** The last number of a series; NaN if there is no record yet. */
  public double last(String name) {
    return count() == 0 ? Double.NaN : of(name)[count() - 1];
  }

  /** Collects records one by one. */
  public static final class Builder {
    private final List<Integer> steps = new ArrayList<>();
    private final Map<String, List<Double>> values = new LinkedHashMap<>();
    private final Map<String, Method> methods = new LinkedHashMap<>();

    /** Starts over from series that were recorded before. */
    public void restore(RecordedSeries series) {
      steps.clear();
      values.clear();
      methods.clear();
      for (int step : series.steps) {
        steps.add(step);
      }
      series.values.forEach((name, numbers) -> {
        List<Double> list = new ArrayList<>();
        for (double number : numbers) {
          list.add(number);
        }
        values.put(name, list);
      });
      methods.putAll(series.methods);
    }

    /** Adds a record; every record must have the same names. */
    public void add(int step, Map<String, Double> record, Map<String, Method> how) {
      if (!steps.isEmpty() && !values.keySet().equals(record.keySet())) {
        throw new IllegalArgumentException(
            "record of " + record.keySet() + " after records of " + values.keySet());
      }
      steps.add(step);
      record.forEach(
          (name, value) -> values.computeIfAbsent(name, n -> new ArrayList<>()).add(value));
      methods.putAll(how);
    }

    /** The step of the last record, -1 if there is none. */
    public int lastStep() {
      return steps.isEmpty() ? -1 : steps.getLast();
    }

    public RecordedSeries build() {
      Map<String, double[]> arrays = new LinkedHashMap<>();
      values.forEach((name, list) ->
          arrays.put(name, list.stream().mapToDouble(Double::doubleValue).toArray()));
      return new RecordedSeries(
          steps.stream().mapToInt(Integer::intValue).toArray(), arrays, methods);
    }
  }
}
