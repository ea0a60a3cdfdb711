package org.alignlang.runtime.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.alignlang.kernel.Signature;
import org.alignlang.runtime.HostDescription;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentPlan.Component;

/**
 * An experiment that is about to be run, with what a run directory says of it.
 *
 * @param plan the experiment
 * @param sources the spec's text and those that it imports, by path, the spec first
 * @param specFile the spec's absolute path; empty where it is part of the standard library
 * @param overrides parameters set from outside, by name, as written
 * @param backEnd what the kernels were lowered to
 * @param seed the first seed
 * @param threads how many threads to use
 */
public record RunRequest(
    ExperimentPlan plan,
    Map<String, String> sources,
    String specFile,
    Map<String, String> overrides,
    String backEnd,
    long seed,
    int threads) {

  /** The manifest of a run that starts now. */
  RunManifest manifest() {
    List<RunManifest.Source> texts = new ArrayList<>();
    TreeSet<String> taken = new TreeSet<>();
    sources.forEach((path, text) ->
        texts.add(
            new RunManifest.Source(path, "spec/" + copyName(path, taken), Fingerprint.of(text))));
    List<RunManifest.Source> data = data();
    List<String> all = new ArrayList<>();
    all.add(plan.name());
    all.add(backEnd);
    all.add(seed + " " + plan.seeds() + " " + plan.steps());
    all.add(new TreeMap<>(overrides).toString());
    texts.forEach(source -> all.add(source.path() + " " + source.sha256()));
    data.forEach(source -> all.add(source.path() + " " + source.sha256()));
    return new RunManifest(
        RunManifest.FORMAT,
        OffsetDateTime.now().truncatedTo(ChronoUnit.SECONDS),
        plan.name(),
        plan.source(),
        specFile,
        plan.objectiveText(),
        overrides,
        backEnd,
        seed,
        plan.seeds(),
        plan.steps(),
        threads,
        plan.recordEvery(),
        plan.maximumSeconds(),
        plan.points().stream().map(RunRequest::point).toList(),
        texts,
        data,
        HostDescription.current(),
        Fingerprint.of(all));
  }

  /** A file name in the run directory for a source's path: the path's last part, made distinct. */
  private static String copyName(String path, TreeSet<String> taken) {
    String last = path.substring(path.lastIndexOf('/') + 1).replaceAll("\\.align$", "");
    String plain = RunNames.plain(last, "spec");
    String name = plain + ".align";
    for (int i = 2; !taken.add(name); i++) {
      name = plain + "-" + i + ".align";
    }
    return name;
  }

  private static RunManifest.Point point(ExperimentPlan.Point point) {
    return switch (point) {
      case ExperimentPlan.Training training -> point(training);
      case ExperimentPlan.Study study ->
          new RunManifest.Point(
              study.labels(),
              show(study.study()),
              Map.of(),
              study.task().map(RunRequest::show).orElse(""),
              "",
              "",
              0,
              0,
              0,
              Map.of());
    };
  }

  private static RunManifest.Point point(ExperimentPlan.Training point) {
    List<String> objectives = new ArrayList<>();
    Map<String, Double> parameters = new LinkedHashMap<>();
    Map<String, String> actors = new LinkedHashMap<>();
    for (ExperimentPlan.Training objective : point.objectives()) {
      Signature signature = objective.kernel().signature();
      objectives.add(signature.objective());
      for (int i = 0; i < signature.parameters().size(); i++) {
        String name = signature.parameters().get(i).name();
        parameters.put(
            parameters.containsKey(name) ? signature.objective() + "." + name : name,
            objective.parameters()[i]);
      }
      objective.actors().forEach((name, component) -> actors.putIfAbsent(name, show(component)));
    }
    return new RunManifest.Point(
        point.labels(),
        String.join(", ", objectives),
        parameters,
        show(point.task()),
        show(point.policy()),
        show(point.optimizer()),
        point.batch(),
        point.group(),
        point.epochs(),
        actors);
  }

  private static String show(Component component) {
    return component.name()
        + component.arguments().entrySet().stream()
            .map(argument -> argument.getKey() + " = " + show(argument.getValue()))
            .collect(Collectors.joining(", ", "(", ")"));
  }

  private static String show(Object value) {
    return switch (value) {
      case Component component -> show(component);
      case List<?> list ->
          list.stream().map(RunRequest::show).collect(Collectors.joining(", ", "[", "]"));
      case String text -> "\"" + text + "\"";
      case Double number when number == Math.rint(number) && Math.abs(number) < 1e15 ->
          Long.toString(number.longValue());
      default -> value.toString();
    };
  }

  /** The files beside the spec that the tasks' arguments name. */
  private List<RunManifest.Source> data() {
    Map<String, RunManifest.Source> found = new LinkedHashMap<>();
    for (ExperimentPlan.Point point : plan.points()) {
      switch (point) {
        case ExperimentPlan.Training training -> collect(training.task(), found);
        case ExperimentPlan.Study study -> {
          collect(study.study(), found);
          study.task().ifPresent(task -> collect(task, found));
        }
      }
    }
    return List.copyOf(found.values());
  }

  private void collect(Object value, Map<String, RunManifest.Source> found) {
    switch (value) {
      case Component component ->
          component.arguments().values().forEach(argument -> collect(argument, found));
      case List<?> list -> list.forEach(element -> collect(element, found));
      case String text -> {
        if (!found.containsKey(text)) {
          try {
            Path file = plan.directory().resolve(text);
            if (Files.isRegularFile(file)) {
              found.put(
                  text, new RunManifest.Source(text, "", Fingerprint.of(Files.readAllBytes(file))));
            }
          } catch (InvalidPathException e) {
            // A text that is no path names no file.
          } catch (IOException e) {
            throw new RunException(
                "data file `%s` cannot be read: %s".formatted(text, Disk.reason(e)), e);
          }
        }
      }
      default -> {}
    }
  }
}
