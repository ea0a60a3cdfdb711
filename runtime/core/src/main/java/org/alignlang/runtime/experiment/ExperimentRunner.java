package org.alignlang.runtime.experiment;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.experiment.ExperimentPlan.Recorded;
import org.alignlang.runtime.study.Studies;
import org.alignlang.runtime.train.Trainer;
import org.alignlang.runtime.train.TrainingState;
import org.alignlang.runtime.train.WorkerPool;

/**
 * Runs an experiment: every sweep point with every seed, side by side as far as there are threads,
 * then the claims. The result is the same to the bit for any number of threads.
 */
public final class ExperimentRunner {

  /**
   * How to run.
   *
   * @param seed the first seed; the others follow it
   * @param threads how many threads to use, at least 1
   * @param checkpointSeconds how long a training runs between two saved states; 0 saves after every
   *     step
   */
  public record Options(long seed, int threads, double checkpointSeconds) {
    public Options {
      if (threads < 1 || !(checkpointSeconds >= 0)) {
        throw new IllegalArgumentException(
            "threads %d, checkpointSeconds %s".formatted(threads, checkpointSeconds));
      }
    }

    /** Seed 1, all cores, a checkpoint every 10 seconds. */
    public static Options standard() {
      return new Options(1, Runtime.getRuntime().availableProcessors(), 10);
    }
  }

  private final ExperimentPlan plan;
  private final Options options;
  private final Progress progress;
  private final RunLog log;
  private final RecordList records;
  private volatile boolean stopping;

  /**
   * Prepares a run.
   *
   * @throws ExperimentException if the plan is not complete
   */
  public ExperimentRunner(ExperimentPlan plan, Options options, Progress progress, RunLog log) {
    if (plan.points().isEmpty()
        || plan.steps() < 1
        || plan.seeds() < 1
        || plan.recordEvery() < 1
        || !(plan.maximumSeconds() > 0)) {
      throw new ExperimentException(
          ("%s: experiment `%s` needs at least one point, step, seed, step between records, and a"
                  + " time bound: it has %d, %d, %d, %d and %s s")
              .formatted(
                  plan.source(),
                  plan.name(),
                  plan.points().size(),
                  plan.steps(),
                  plan.seeds(),
                  plan.recordEvery(),
                  plan.maximumSeconds()));
    }
    this.plan = plan;
    this.options = options;
    this.progress = new OneAtATime(progress);
    this.log = log;
    records = new RecordList(plan);
  }

  /** The trainings in their order: by point, then by seed. */
  public static List<TrainingId> trainings(ExperimentPlan plan, long firstSeed) {
    List<TrainingId> ids = new ArrayList<>();
    for (int point = 0; point < plan.points().size(); point++) {
      for (int seed = 0; seed < plan.seeds(); seed++) {
        ids.add(new TrainingId(point, seed, firstSeed + seed, plan.points().get(point).labels()));
      }
    }
    return ids;
  }

  /** What is recorded: what the plan records, and what its claims and plots use directly. */
  public List<Recorded> records() {
    return records.all();
  }

  /**
   * Trains, or goes on from the states that the log has, and judges the claims. If the calling
   * thread is interrupted, trainings stop after the step they are at and save their state.
   *
   * @throws ExperimentException if the experiment cannot be run, or a training fails
   */
  public ExperimentResult run() {
    long start = System.nanoTime();
    long deadline = start + (long) Math.min(plan.maximumSeconds() * 1e9, Long.MAX_VALUE / 4.0);
    List<TrainingId> ids = trainings(plan, options.seed());
    ClosedForms optima = new ClosedForms(plan, records, options.seed());
    new ClaimJudge(plan, new SeriesAlgebra(plan, records, List.of(), optima)).requirePoints();
    requireTrainable(optima);
    progress.started(ids.size(), plan.steps());
    List<String> notes = new ArrayList<>();
    List<TrainingResult> trainings = train(ids, deadline);
    long complete = trainings.stream().filter(TrainingResult::complete).count();
    if (complete < ids.size()) {
      note(
          notes,
          "%s: %d of %d trainings are complete"
              .formatted(
                  Thread.currentThread().isInterrupted()
                      ? "the run was stopped"
                      : "the time bound of %s s was reached"
                          .formatted(Interval.show(plan.maximumSeconds())),
                  complete,
                  ids.size()));
    }
    List<TrainingResult> withOptima = new ArrayList<>();
    for (TrainingResult training : trainings) {
      withOptima.add(withOptimum(training, optima));
    }
    optima.notes().forEach(text -> note(notes, text));
    SeriesAlgebra algebra = new SeriesAlgebra(plan, records, withOptima, optima);
    ClaimJudge judge = new ClaimJudge(plan, algebra);
    List<ClaimVerdict> claims = plan.claims().stream().map(judge::verdict).toList();
    return new ExperimentResult(
        plan.name(),
        withOptima,
        claims,
        new Charts(plan, withOptima, algebra, optima).all(text -> note(notes, text)),
        complete == ids.size(),
        notes,
        (System.nanoTime() - start) / 1e9);
  }

  /**
   * Judges the arguments of what a plan is made of, by making it once and training nothing.
   *
   * @throws ExperimentException if something cannot be made; the message names the place
   */
  public static void judge(ExperimentPlan plan) {
    for (TrainingId id : trainings(plan, 1)) {
      if (id.seedIndex() > 0) {
        continue;
      }
      switch (plan.points().get(id.point())) {
        case ExperimentPlan.Study study -> new StudyRun(plan, study, id.seed()).judge();
        case ExperimentPlan.Training _ ->
            new Trainer(plan, id, new RecordList(plan).all(), Workers.serial());
      }
    }
  }

  private void note(List<String> notes, String text) {
    notes.add(text);
    progress.message(text);
  }

  /** Makes every training's parts once, so that a mistake in the last point shows at once. */
  private void requireTrainable(ClosedForms optima) {
    for (TrainingId id : trainings(plan, options.seed())) {
      if (plan.points().get(id.point()) instanceof ExperimentPlan.Study study) {
        if (id.seedIndex() == 0) {
          new StudyRun(plan, study, id.seed()).judge();
        }
        continue;
      }
      if (id.seedIndex() == 0) {
        new Trainer(plan, id, records.all(), Workers.serial());
      }
      optima.requireFeasible(id.point(), id.seedIndex());
    }
  }

  private List<TrainingResult> train(List<TrainingId> ids, long deadline) {
    int abreast = Math.min(options.threads(), ids.size());
    int threadsEach = Math.max(1, options.threads() / abreast);
    List<TrainingResult> results = new ArrayList<>();
    List<RuntimeException> failures = new ArrayList<>();
    try (ExecutorService executor =
        Executors.newFixedThreadPool(
            abreast, Thread.ofPlatform().name("align-training-", 1).daemon(true).factory())) {
      List<Future<TrainingResult>> futures =
          ids.stream()
              .map(id -> executor.submit(() -> trainOne(id, threadsEach, deadline)))
              .toList();
      boolean interrupted = false;
      for (int i = 0; i < futures.size(); ) {
        try {
          results.add(futures.get(i).get());
          i++;
        } catch (ExecutionException e) {
          stopping = true;
          failures.add(unwrap(e));
          i++;
        } catch (InterruptedException e) {
          stopping = true;
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    if (!failures.isEmpty()) {
      RuntimeException first = failures.getFirst();
      failures.stream().skip(1).forEach(first::addSuppressed);
      throw first;
    }
    return results;
  }

  private TrainingResult trainOne(TrainingId id, int threads, long deadline) {
    try (WorkerPool pool = new WorkerPool(threads)) {
      return switch (plan.points().get(id.point())) {
        case ExperimentPlan.Training _ -> trainOn(pool, id, deadline);
        case ExperimentPlan.Study study -> study(study, id, deadline);
      };
    } catch (RuntimeException | Error e) {
      stopping = true;
      throw e;
    }
  }

  private TrainingResult study(ExperimentPlan.Study study, TrainingId id, long deadline) {
    log.load(id, progress);
    progress.started(id, 0);
    Session session = new Session(id, 0, deadline);
    boolean complete = !session.mustStop();
    RecordedSeries series = RecordedSeries.EMPTY;
    if (complete) {
      try {
        series = new StudyRun(plan, study, id.seed()).series(records.all(), session::mustStop);
      } catch (Studies.Stopped e) {
        complete = false;
      }
    }
    for (int i = 0; i < series.count(); i++) {
      log.recorded(id, series.steps()[i], series.at(i));
    }
    TrainingResult result =
        new TrainingResult(
            id,
            series,
            new PolicySummary(List.of()),
            Map.of(),
            complete ? plan.steps() : 0,
            complete,
            session.seconds());
    progress.step(id, result.steps());
    progress.finished(result);
    return result;
  }

  private TrainingResult trainOn(Workers workers, TrainingId id, long deadline) {
    Trainer trainer = new Trainer(plan, id, records.all(), workers);
    Optional<RunLog.Saved> saved = log.load(id, progress);
    saved.map(RunLog.Saved::state).ifPresent(trainer::restore);
    double before = saved.map(RunLog.Saved::seconds).orElse(0.0);
    progress.started(id, trainer.step());
    Session session = new Session(id, before, deadline);
    boolean complete = session.mayBegin(trainer) && trainer.run(session);
    double seconds = session.seconds();
    if (saved.isEmpty() || session.worked) {
      log.save(id, new RunLog.Saved(trainer.state(), seconds));
    }
    TrainingResult result =
        new TrainingResult(
            id, trainer.series(), trainer.summary(), Map.of(), trainer.step(), complete, seconds);
    progress.finished(result);
    return result;
  }

  private TrainingResult withOptimum(TrainingResult training, ClosedForms optima) {
    Map<String, Double> values = new LinkedHashMap<>();
    for (Recorded recorded : records.all()) {
      optima
          .valueIfKnown(recorded.quantity(), training.id().point(), training.id().seedIndex())
          .ifPresent(value -> values.put(recorded.name(), value));
    }
    return new TrainingResult(
        training.id(),
        training.series(),
        training.policy(),
        values,
        training.steps(),
        training.complete(),
        training.seconds());
  }

  private static RuntimeException unwrap(ExecutionException e) {
    return switch (e.getCause()) {
      case RuntimeException cause -> cause;
      case Error cause -> throw cause;
      case null, default -> new IllegalStateException(e);
    };
  }

  /** One training's clock, checkpoints and end. */
  private final class Session implements Trainer.Observer {
    private final TrainingId id;
    private final double before;
    private final long deadline;
    private final long start = System.nanoTime();
    private long lastSaved = start;
    private boolean worked;

    private Session(TrainingId id, double before, long deadline) {
      this.id = id;
      this.before = before;
      this.deadline = deadline;
    }

    private double seconds() {
      return before + (System.nanoTime() - start) / 1e9;
    }

    private boolean mayBegin(Trainer trainer) {
      return trainer.step() == plan.steps() || !mustStop();
    }

    private boolean mustStop() {
      return stopping || System.nanoTime() - deadline >= 0;
    }

    @Override
    public void recorded(int step, Map<String, Double> values) {
      worked = true;
      log.recorded(id, step, values);
    }

    @Override
    public boolean stepped(int steps, Supplier<TrainingState> state) {
      worked = true;
      progress.step(id, steps);
      long now = System.nanoTime();
      if (steps < plan.steps() && now - lastSaved >= options.checkpointSeconds() * 1e9) {
        log.save(id, new RunLog.Saved(state.get(), seconds()));
        lastSaved = System.nanoTime();
      }
      return !mustStop();
    }
  }

  /** Passes calls on one at a time. */
  private record OneAtATime(Progress to) implements Progress {
    @Override
    public synchronized void started(int trainings, int steps) {
      to.started(trainings, steps);
    }

    @Override
    public synchronized void started(TrainingId training, int step) {
      to.started(training, step);
    }

    @Override
    public synchronized void step(TrainingId training, int step) {
      to.step(training, step);
    }

    @Override
    public synchronized void finished(TrainingResult training) {
      to.finished(training);
    }

    @Override
    public synchronized void message(String text) {
      to.message(text);
    }
  }
}
