package org.alignlang.compiler.experiment;

import static org.alignlang.compiler.diagnostic.DiagnosticCode.BAD_SETTING;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.MISSING_SETTING;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.UNKNOWN_SETTING;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.ExperimentStatement;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.check.LibraryImports;
import org.alignlang.compiler.check.ObjectiveLookup;
import org.alignlang.compiler.check.Scope;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.diagnostic.Severity;
import org.alignlang.compiler.diagnostic.Suggestions;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.Span;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentPlan.Component;
import org.alignlang.runtime.optimizer.Optimizers;
import org.alignlang.runtime.study.Studies;
import org.alignlang.runtime.study.StudyProvider;
import org.jspecify.annotations.Nullable;

/**
 * Turns an experiment declaration into a plan: compiles its objective for every point of its sweep,
 * and its records, plots and claims into quantities that the runtime measures.
 */
public final class ExperimentCompiler {
  private static final Set<String> SETTINGS =
      new TreeSet<>(
          Set.of(
              "task",
              "study",
              "train",
              "policy",
              "optimizer",
              "steps",
              "seeds",
              "batch",
              "group",
              "epochs",
              "every",
              "time"));

  /** Begins a fit; there may be several. */
  private static final String FIT = "fit";

  /** Names of the actor that draws the samples, if an experiment says which policy it is. */
  private static final Set<String> BEHAVIORS = Set.of("old", "behavior", "behaviour");

  /** Settings of an experiment that computes a study. */
  private static final Set<String> OF_STUDIES = Set.of("study", "task", "seeds", "time");

  private static final int MAXIMUM_POINTS = 256;
  private static final double DEFAULT_SECONDS = 60;

  private final Declaration.ExperimentDeclaration declaration;

  /** Ways in which several objectives take turns. */
  private static final Set<String> TURNS = Set.of("alternate", "stages", "bilevel");

  private final Scope scope;
  private final Path directory;
  private final CompilerOptions options;
  private final Function<CheckedObjective, ObjectiveKernel> backEnd;
  private final Overrides overrides;
  private final DiagnosticSink sink;
  private final Map<String, ExperimentStatement.Setting> settings = new LinkedHashMap<>();
  private final Map<String, ObjectiveKernel> kernels;

  /**
   * Settings that a control takes over: what it drops has no use for those that are its own. Empty
   * for an experiment itself.
   */
  private final Optional<Set<ExperimentStatement.Setting>> inherited;

  /**
   * What a user changes from outside.
   *
   * @param parameters values for parameters of the trained objective, by name
   * @param steps the number of steps, 0 to leave it
   * @param seeds the number of seeds, 0 to leave it
   */
  public record Overrides(Map<String, Expression> parameters, int steps, int seeds) {
    public static final Overrides NONE = new Overrides(Map.of(), 0, 0);
  }

  private ExperimentCompiler(
      Declaration.ExperimentDeclaration declaration,
      Scope scope,
      Path directory,
      CompilerOptions options,
      Function<CheckedObjective, ObjectiveKernel> backEnd,
      Overrides overrides,
      Map<String, ObjectiveKernel> kernels,
      Optional<Set<ExperimentStatement.Setting>> inherited,
      DiagnosticSink sink) {
    this.declaration = declaration;
    this.scope = scope;
    this.directory = directory;
    this.options = options;
    this.backEnd = backEnd;
    this.overrides = overrides;
    this.kernels = kernels;
    this.inherited = inherited;
    this.sink = sink;
  }

  /**
   * Compiles an experiment.
   *
   * @param declaration the experiment
   * @param scope what its module sees
   * @param directory the folder that its data files are relative to
   * @param backEnd makes the kernel of an objective
   * @param overrides what the user changes
   * @param sink receives the findings
   * @return the plan, or empty if there were errors
   */
  public static Optional<ExperimentPlan> compile(
      Declaration.ExperimentDeclaration declaration,
      Scope scope,
      Path directory,
      CompilerOptions options,
      Function<CheckedObjective, ObjectiveKernel> backEnd,
      Overrides overrides,
      DiagnosticSink sink) {
    return new ExperimentCompiler(
            declaration,
            scope,
            directory,
            options,
            backEnd,
            overrides,
            new HashMap<>(),
            Optional.empty(),
            sink)
        .plan();
  }

  /**
   * Compiles an experiment and judges the arguments of its tasks, policies, optimisers, blocks and
   * studies, by making them once: what {@code check} says of experiments.
   *
   * @param sink receives the findings
   */
  public static void check(
      Declaration.ExperimentDeclaration declaration,
      Scope scope,
      Path directory,
      CompilerOptions options,
      Function<CheckedObjective, ObjectiveKernel> backEnd,
      DiagnosticSink sink) {
    compile(declaration, scope, directory, options, backEnd, Overrides.NONE, sink)
        .ifPresent(plan -> new ArgumentCheck(declaration, sink).judge(plan));
  }

  private Optional<ExperimentPlan> plan() {
    int before = sink.errorCount();
    try {
      Optional<ExperimentPlan> plan = compile();
      return sink.errorCount() > before ? Optional.empty() : plan;
    } catch (Reported _) {
      return Optional.empty();
    }
  }

  /** An error was reported. */
  static final class Reported extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Reported() {
      super("reported", null, false, false);
    }
  }

  /** An unknown name, with what was probably meant, or else what there is. */
  private Reported unknown(
      DiagnosticCode code,
      Span span,
      String message,
      String name,
      Collection<String> known,
      String otherwise) {
    Diagnostic plain = Diagnostic.of(code, span, message).withHelp(otherwise);
    sink.report(
        LibraryImports.offer(plain, name).orElseGet(() -> Suggestions.meant(plain, name, known)));
    return new Reported();
  }

  private Reported fail(DiagnosticCode code, Span span, String message, String help) {
    sink.report(Diagnostic.of(code, span, message).withHelp(help));
    return new Reported();
  }

  /** An objective of a point before it is compiled, with the values of its parameters. */
  private record Member(
      Declaration.ObjectiveDeclaration objective,
      Scope objectiveScope,
      Map<String, Expression> values,
      Map<String, Expression> schedules) {}

  /** A point of the sweep before it is compiled. */
  private record Choice(
      Map<String, String> labels,
      List<Member> members,
      ExperimentPlan.Turns turns,
      Expression task,
      Expression policy,
      Expression optimizer) {}

  /** What is trained together, as written: an objective, or several that take turns. */
  private record Team(List<Expression> members, ExperimentPlan.Turns turns) {
    /** How the objectives take turns, in a word. */
    String kind() {
      return members.size() == 1
          ? "alone"
          : switch (turns) {
            case ExperimentPlan.Turns.Alternate _ -> "alternate";
            case ExperimentPlan.Turns.Stages _ -> "stages";
            case ExperimentPlan.Turns.Bilevel _ -> "bilevel";
          };
    }
  }

  private Optional<ExperimentPlan> compile() {
    List<ExperimentStatement.Setting> actorSettings = new ArrayList<>();
    for (ExperimentStatement statement : declaration.statements()) {
      if (statement instanceof ExperimentStatement.Setting setting && !setting.name().equals(FIT)) {
        if (SETTINGS.contains(setting.name())) {
          if (settings.put(setting.name(), setting) != null) {
            throw fail(
                BAD_SETTING,
                setting.span(),
                "`" + setting.name() + "` is set twice",
                "remove one of them");
          }
        } else {
          actorSettings.add(setting);
        }
      }
    }
    if (settings.containsKey("study")) {
      return study(actorSettings);
    }
    required("task");
    List<Choice> choices = choices();
    if (choices.size() > MAXIMUM_POINTS) {
      throw fail(
          BAD_SETTING,
          required("train").span(),
          "this sweep has " + choices.size() + " points; the most is " + MAXIMUM_POINTS,
          "sweep fewer values");
    }
    int steps = overrides.steps() > 0 ? overrides.steps() : whole("steps", -1, 1, 10_000_000);
    int seeds = overrides.seeds() > 0 ? overrides.seeds() : whole("seeds", 1, 1, 1000);
    int batch = whole("batch", 64, 0, 1_000_000);
    int group = whole("group", 8, 1, 100_000);
    int epochs = whole("epochs", 1, 1, 1000);
    int every = whole("every", Math.max(1, steps / 100), 1, 10_000_000);
    double seconds = seconds();

    List<ExperimentPlan.Training> points = new ArrayList<>();
    List<Quantities.PointContext> contexts = new ArrayList<>();
    for (Choice choice : choices) {
      List<Quantities.Part> parts = new ArrayList<>();
      for (Member member : choice.members()) {
        Optional<CheckedObjective> checked =
            Compiler.check(
                member.objective(),
                member.objectiveScope(),
                member.values(),
                Set.of(),
                options,
                sink);
        if (checked.isEmpty()) {
          return Optional.empty();
        }
        parts.add(part(checked.get(), member));
      }
      List<CheckedObjective> objectives = parts.stream().map(Quantities.Part::objective).toList();
      if (choice.turns() instanceof ExperimentPlan.Turns.Bilevel bilevel) {
        requireBilevel(bilevel, objectives);
      }
      ClosedForms.Found optimum =
          parts.size() == 1
              ? ClosedForms.of(objectives.getFirst(), parts.getFirst().parameters())
              : new ClosedForms.Found(Optional.empty(), "several objectives are trained in turn");
      List<ExperimentPlan.Training> compiled = new ArrayList<>();
      for (int i = parts.size() - 1; i >= 0; i--) {
        CheckedObjective objective = objectives.get(i);
        Member member = choice.members().get(i);
        boolean first = i == 0;
        compiled.addFirst(
            new ExperimentPlan.Training(
                choice.labels(),
                kernel(objective, member),
                values(objective),
                component(choice.task()),
                component(choice.policy()),
                component(choice.optimizer()),
                batch,
                group,
                epochs,
                actors(objective, actorSettings),
                blocks(objective, actorSettings),
                objective.draws(),
                schedules(objective, member),
                optimum.form(),
                first ? List.copyOf(compiled) : List.of(),
                first ? choice.turns() : ExperimentPlan.Turns.Alternate.ALONE));
      }
      points.add(compiled.getFirst());
      // What a claim asks for may have no answer in a control: there it is to fail.
      String missing = inherited.isPresent() ? "" : optimum.missing();
      contexts.add(new Quantities.PointContext(parts, choice.labels(), missing));
    }
    requireKnown(
        actorSettings,
        contexts.stream()
            .flatMap(c -> c.parts().stream())
            .map(Quantities.Part::objective)
            .toList());
    Set<String> labels = new LinkedHashSet<>();
    choices.forEach(c -> labels.addAll(c.labels().keySet()));
    Quantities quantities = new Quantities(contexts, scope, labels, sink);
    return Optional.of(
        planned(objectives(choices), points, steps, seeds, every, seconds, quantities));
  }

  private boolean isInherited(ExperimentStatement.Setting setting) {
    return inherited.filter(kept -> kept.contains(setting)).isPresent();
  }

  /** Reads what is recorded, drawn and claimed, and the controls. */
  private ExperimentPlan planned(
      String objectiveText,
      List<? extends ExperimentPlan.Point> points,
      int steps,
      int seeds,
      int every,
      double seconds,
      Quantities quantities) {
    List<ExperimentPlan.Recorded> records = new ArrayList<>();
    List<ExperimentPlan.Plot> plots = new ArrayList<>();
    List<ExperimentPlan.Claim> claims = new ArrayList<>();
    List<ExperimentPlan.Control> controls = new ArrayList<>();
    for (ExperimentStatement statement : declaration.statements()) {
      try {
        switch (statement) {
          case ExperimentStatement.Record record ->
              record
                  .recorded()
                  .forEach(r ->
                      records.add(new ExperimentPlan.Recorded(r.name(), quantities.recorded(r))));
          case ExperimentStatement.Plot plot -> plots.add(quantities.plot(plot));
          case ExperimentStatement.Expect expect -> claims.add(quantities.claim(expect));
          case ExperimentStatement.Setting setting when setting.name().equals(FIT) ->
              quantities.fit(setting);
          case ExperimentStatement.Setting _ -> {}
          case ExperimentStatement.Control control -> control(control).ifPresent(controls::add);
        }
      } catch (Reported _) {
        // The next statement may have more to say.
      }
    }
    return new ExperimentPlan(
        declaration.name(),
        declaration.span().source().path(),
        declaration.span().source().text(),
        directory,
        objectiveText,
        List.copyOf(points),
        steps,
        seeds,
        every,
        records,
        plots,
        claims,
        controls,
        seconds);
  }

  /** The experiment with a control's settings in place of its own. */
  private Optional<ExperimentPlan.Control> control(ExperimentStatement.Control control) {
    if (declaration.statements().stream().noneMatch(ExperimentStatement.Expect.class::isInstance)) {
      throw fail(
          BAD_SETTING,
          control.span(),
          "a control is where a claim fails, and this experiment claims nothing",
          "add an `expect` line");
    }
    if (control.settings().isEmpty()) {
      throw fail(
          BAD_SETTING,
          control.span(),
          "this control changes nothing",
          "give a setting that takes away what the claims are about, such as `train Rlhf(beta ="
              + " 0)`");
    }
    Set<String> replaced = new HashSet<>();
    for (ExperimentStatement.Setting setting : control.settings()) {
      if (setting.name().equals(FIT)) {
        throw fail(
            BAD_SETTING,
            setting.span(),
            "a fit belongs to the claims, which stay as they are in a control",
            "move it before the control");
      }
      if (!replaced.add(setting.name())) {
        throw fail(
            BAD_SETTING,
            setting.span(),
            "`" + setting.name() + "` is set twice",
            "remove one of them");
      }
    }
    List<ExperimentStatement> statements = new ArrayList<>(control.settings());
    Set<ExperimentStatement.Setting> kept = new HashSet<>();
    for (ExperimentStatement statement : declaration.statements()) {
      boolean stays =
          switch (statement) {
            case ExperimentStatement.Setting setting -> !replaced.contains(setting.name());
            case ExperimentStatement.Control _ -> false;
            case ExperimentStatement.Record _,
                ExperimentStatement.Plot _,
                ExperimentStatement.Expect _ ->
                true;
          };
      if (stays) {
        statements.add(statement);
        if (statement instanceof ExperimentStatement.Setting setting) {
          kept.add(setting);
        }
      }
    }
    // What the experiment itself has to say is said already.
    DiagnosticSink found = new DiagnosticSink();
    Optional<ExperimentPlan> plan =
        new ExperimentCompiler(
                new Declaration.ExperimentDeclaration(
                    declaration.span(),
                    declaration.nameSpan(),
                    declaration.name(),
                    declaration.documentation(),
                    statements),
                scope,
                directory,
                options,
                backEnd,
                // A control's own settings stand, whatever is set from outside.
                new Overrides(Map.of(), overrides.steps(), overrides.seeds()),
                kernels,
                Optional.of(kept),
                found)
            .plan();
    if (plan.isEmpty() && sink.errorCount() == 0) {
      found.sorted().stream().filter(d -> d.severity() == Severity.ERROR).forEach(sink::report);
    }
    return plan.map(p -> new ExperimentPlan.Control(control.text(), p, control.span().place()));
  }

  /** An experiment that computes something in place of a training. */
  private Optional<ExperimentPlan> study(List<ExperimentStatement.Setting> unknown) {
    for (ExperimentStatement.Setting setting : settings.values()) {
      if (!OF_STUDIES.contains(setting.name())) {
        throw fail(
            BAD_SETTING,
            setting.nameSpan(),
            "a study trains nothing, so it has no `" + setting.name() + "`",
            "an experiment with `study` takes `task`, `seeds` and `time`");
      }
    }
    for (ExperimentStatement.Setting setting : unknown) {
      if (isInherited(setting)) {
        continue;
      }
      throw unknown(
          UNKNOWN_SETTING,
          setting.nameSpan(),
          "an experiment with a study has no setting `" + setting.name() + "`",
          setting.name(),
          OF_STUDIES,
          "it takes `task`, `seeds` and `time`");
    }
    if (!overrides.parameters().isEmpty()) {
      Expression value = overrides.parameters().values().iterator().next();
      throw fail(
          BAD_SETTING,
          value.span(),
          "this experiment computes a study, which has no parameters to set from outside",
          "change the spec");
    }
    if (overrides.steps() > 0) {
      throw fail(
          BAD_SETTING,
          required("study").span(),
          "this experiment computes a study, which has no steps to set from outside",
          "leave `--steps` out");
    }
    List<Expression> tasks =
        settings.containsKey("task") ? sweep(required("task").value()) : List.of();
    List<Expression> studies = sweep(required("study").value());
    List<ExperimentPlan.Study> points = new ArrayList<>();
    Set<String> given = new TreeSet<>();
    Set<String> numbers = new TreeSet<>();
    for (Expression study : studies) {
      StudyProvider provider = provider(study);
      if (!tasks.isEmpty() && !provider.takesTask()) {
        throw fail(
            BAD_SETTING,
            required("task").span(),
            "study `" + provider.name() + "` is about no task",
            "leave `task` out");
      }
      given.addAll(provider.quantities().keySet());
      Component whole = component(study);
      List<Map<String, Object>> combinations = new ArrayList<>(List.of(Map.of()));
      List<String> swept = new ArrayList<>();
      for (Map.Entry<String, Object> argument : whole.arguments().entrySet()) {
        boolean sweeps =
            argument.getValue() instanceof List<?> && !provider.lists().contains(argument.getKey());
        List<?> values = sweeps ? (List<?>) argument.getValue() : List.of(argument.getValue());
        if (values.isEmpty()) {
          throw fail(BAD_SETTING, study.span(), "this list is empty", "give at least one value");
        }
        if (values.size() > 1) {
          swept.add(argument.getKey());
        }
        List<Map<String, Object>> more = new ArrayList<>();
        for (Map<String, Object> combination : combinations) {
          for (Object value : values) {
            Map<String, Object> next = new LinkedHashMap<>(combination);
            next.put(argument.getKey(), value);
            more.add(next);
          }
        }
        combinations = more;
        if (combinations.size() > MAXIMUM_POINTS) {
          break;
        }
      }
      for (Map<String, Object> arguments : combinations) {
        arguments.forEach((name, value) -> {
          if (value instanceof Double) {
            numbers.add(name);
          }
        });
        for (int i = 0; i < Math.max(1, tasks.size()); i++) {
          Map<String, String> labels = new LinkedHashMap<>();
          labelPart("study", studies, study, labels);
          swept.forEach(name -> labels.put(name, label(arguments.get(name))));
          Optional<Component> task = Optional.empty();
          if (!tasks.isEmpty()) {
            labelPart("task", tasks, tasks.get(i), labels);
            task = Optional.of(component(tasks.get(i)));
          }
          points.add(
              new ExperimentPlan.Study(
                  labels, new Component(whole.name(), arguments, whole.place()), task));
        }
      }
    }
    if (points.size() > MAXIMUM_POINTS) {
      throw fail(
          BAD_SETTING,
          required("study").span(),
          "this sweep has more than " + MAXIMUM_POINTS + " points",
          "sweep fewer values");
    }
    Set<String> labels = new LinkedHashSet<>();
    points.forEach(point -> labels.addAll(point.labels().keySet()));
    return Optional.of(
        planned(
            required("study").value().span().text(),
            points,
            1,
            overrides.seeds() > 0 ? overrides.seeds() : whole("seeds", 1, 1, 1000),
            1,
            seconds(),
            new Quantities(List.of(), given, numbers, scope, labels, sink)));
  }

  private StudyProvider provider(Expression study) {
    Component component = component(study);
    Map<String, StudyProvider> providers = Studies.providers();
    StudyProvider provider = providers.get(component.name());
    if (provider == null) {
      throw unknown(
          BAD_SETTING,
          study.span(),
          "there is no study `" + component.name() + "`",
          component.name(),
          providers.keySet(),
          "there are: " + String.join(", ", providers.keySet()));
    }
    return provider;
  }

  /** A value of an argument as tables show it. */
  private static String label(@Nullable Object value) {
    return switch (value) {
      case Double number -> plain(number);
      case Component component -> component.name();
      case null, default -> String.valueOf(value);
    };
  }

  private double seconds() {
    double seconds =
        settings.containsKey("time") ? number(required("time").value()) : DEFAULT_SECONDS;
    if (!(seconds > 0 && seconds <= 86_400)) {
      throw fail(
          BAD_SETTING,
          required("time").span(),
          "`time` is a number of seconds up to a day",
          "write for instance `time 60`");
    }
    return seconds;
  }

  private static double[] values(CheckedObjective objective) {
    return objective.signature().parameters().stream()
        .mapToDouble(Signature.Parameter::defaultValue)
        .toArray();
  }

  private Quantities.Part part(CheckedObjective objective, Member member) {
    Map<String, Double> parameters = new LinkedHashMap<>();
    for (Signature.Parameter parameter : objective.signature().parameters()) {
      if (Double.isNaN(parameter.defaultValue())) {
        throw fail(
            BAD_SETTING,
            required("train").span(),
            "`" + objective.name() + "` needs a value for `" + parameter.name() + "`",
            "write `train " + objective.name() + "(" + parameter.name() + " = ...)`");
      }
      parameters.put(parameter.name(), parameter.defaultValue());
    }
    return new Quantities.Part(objective, member.objectiveScope(), parameters);
  }

  /** The objectives of all points, as written; under their names if there are several. */
  private static String objectives(List<Choice> choices) {
    Set<Declaration.ObjectiveDeclaration> distinct = new LinkedHashSet<>();
    choices.forEach(choice -> choice.members().forEach(member -> distinct.add(member.objective())));
    if (distinct.size() == 1) {
      return text(distinct.iterator().next());
    }
    List<String> all = new ArrayList<>();
    distinct.forEach(objective -> all.add("// " + objective.name() + "\n" + text(objective)));
    return String.join("\n\n", all);
  }

  /** What is optimised, as written. */
  private static String text(Declaration.ObjectiveDeclaration objective) {
    List<String> lines = new ArrayList<>();
    for (Statement statement : objective.statements()) {
      switch (statement) {
        case Statement.Sense s -> lines.add(s.span().text());
        case Statement.SubjectTo s -> lines.add(s.span().text());
        case Statement.EstimateWith s -> lines.add(s.span().text());
        case Statement.Target s -> lines.add(s.span().text());
        case Statement.Let s -> lines.add(s.span().text());
        case Statement.State s -> lines.add(s.span().text());
        case Statement.Actor _,
            Statement.Column _,
            Statement.Pairs _,
            Statement.Labelled _,
            Statement.Sample _,
            Statement.Ranked _,
            Statement.Preference _,
            Statement.GroupBy _,
            Statement.Metric _,
            Statement.Expectation _,
            Statement.Surrogate _,
            Statement.Enumerate _ -> {}
      }
    }
    return String.join("\n", lines);
  }

  private ObjectiveKernel kernel(CheckedObjective objective, Member choice) {
    // Values of parameters are given to a kernel when it runs, except those that shaped its code.
    StringBuilder key = new StringBuilder(objective.name());
    for (Declaration.Parameter parameter : choice.objective().parameters()) {
      String type = parameter.type().map(Declaration.TypeExpression::name).orElse("Real");
      Expression value = choice.values().get(parameter.name());
      boolean shapes = !(type.equals("Real") || type.equals("Int"));
      if (objective.fixed().containsKey(parameter.name())) {
        key.append('|').append(objective.fixed().get(parameter.name()));
      } else if (shapes && value != null) {
        key.append('|').append(value.span().text());
      }
    }
    return kernels.computeIfAbsent(key.toString(), _ -> backEnd.apply(objective));
  }

  /** Refuses settings of what no objective has. */
  private void requireKnown(
      List<ExperimentStatement.Setting> given, List<CheckedObjective> objectives) {
    for (ExperimentStatement.Setting setting : given) {
      String name = setting.name();
      boolean block = objectives.stream().anyMatch(o -> learned(o).containsKey(name));
      List<String> roles =
          objectives.stream()
              .flatMap(o -> Optional.ofNullable(o.actors().get(name)).stream())
              .filter(role -> !role.equals("policy"))
              .toList();
      if (!block && roles.isEmpty() && isInherited(setting)) {
        continue;
      }
      if (!block && roles.isEmpty() && BEHAVIORS.contains(name)) {
        throw fail(
            UNKNOWN_SETTING,
            setting.nameSpan(),
            "the objective does not say that `" + name + "` sampled its data",
            "declare it there: `behavior " + name + "`");
      }
      if (!block && roles.isEmpty()) {
        Set<String> known = new TreeSet<>(SETTINGS);
        objectives.forEach(o -> {
          known.addAll(o.actors().keySet());
          known.addAll(learned(o).keySet());
        });
        throw unknown(
            UNKNOWN_SETTING,
            setting.nameSpan(),
            "an experiment has no setting `" + name + "`",
            name,
            known,
            "settings are " + String.join(", ", SETTINGS));
      }
      if (roles.contains("behavior") && !BEHAVIORS.contains(name)) {
        throw fail(
            BAD_SETTING,
            setting.nameSpan(),
            "samples are drawn from the actor called `old`, and this one is called `" + name + "`",
            "call the behaviour policy `old`, or leave this setting out");
      }
    }
  }

  private Map<String, Component> actors(
      CheckedObjective objective, List<ExperimentStatement.Setting> actorSettings) {
    Map<String, Component> actors = new LinkedHashMap<>();
    Set<String> learned = learned(objective).keySet();
    objective
        .computed()
        .forEach((name, what) ->
            actors.put(
                name,
                new Component(what.kind(), Map.copyOf(what.arguments()), what.span().place())));
    for (ExperimentStatement.Setting setting : actorSettings) {
      if (!learned.contains(setting.name())
          && objective.actors().containsKey(setting.name())
          && !"policy".equals(objective.actors().get(setting.name()))) {
        actors.put(setting.name(), component(setting.value()));
      }
    }
    // Under whatever name: what sampled the data is the policy that the batch was drawn from.
    objective
        .actors()
        .forEach((name, role) -> {
          if (role.equals("behavior")) {
            actors.putIfAbsent(
                name, new Component("sampling", Map.of(), declaration.nameSpan().place()));
          }
        });
    return actors;
  }

  /**
   * The blocks that an objective trains beside the policy, by the names that it declares: an
   * ensemble's members under the name of the ensemble, and each under its own.
   */
  private static Map<String, List<String>> learned(CheckedObjective objective) {
    Map<String, List<String>> names = new TreeMap<>();
    for (Signature.Input input : objective.signature().inputs()) {
      if (input.role() == Signature.Role.LEARNED) {
        names.put(Signature.block(input), List.of(Signature.block(input)));
      }
    }
    for (Statement statement : objective.declaration().statements()) {
      if (statement instanceof Statement.Column column
          && column.role() == Statement.ColumnRole.LEARN
          && column.type().map(Declaration.TypeExpression::size).orElse(0) > 0) {
        names.put(
            column.name(), Statement.members(column.name(), column.type().orElseThrow().size()));
      }
    }
    return names;
  }

  private Map<String, Component> blocks(
      CheckedObjective objective, List<ExperimentStatement.Setting> given) {
    Map<String, List<String>> learned = learned(objective);
    Map<String, Component> blocks = new LinkedHashMap<>();
    for (ExperimentStatement.Setting setting : given) {
      for (String block : learned.getOrDefault(setting.name(), List.of())) {
        blocks.put(block, component(setting.value()));
      }
    }
    return blocks;
  }

  /** The parameters that a schedule moves while training. */
  private Map<String, Component> schedules(CheckedObjective objective, Member choice) {
    Map<String, Component> schedules = new LinkedHashMap<>();
    choice
        .schedules()
        .forEach((name, value) -> {
          if (objective.fixed().containsKey(name)) {
            throw fail(
                BAD_SETTING,
                value.span(),
                "`" + name + "` is fixed when the objective is compiled, so no schedule moves it",
                "give it a number");
          }
          schedules.put(name, component(value));
        });
    return schedules;
  }

  /** The number that a schedule begins with, as a literal in its place. */
  private Expression start(Expression schedule) {
    Component component = component(schedule);
    try {
      return new Expression.NumberLiteral(
          schedule.span(),
          Optimizers.schedule(component.name(), component.arguments()).at(0),
          false);
    } catch (IllegalArgumentException e) {
      throw fail(
          BAD_SETTING,
          schedule.span(),
          String.valueOf(e.getMessage()),
          "a parameter's schedule is `constant`, `linear`, `cosine` or `warmup`");
    }
  }

  private static boolean isSchedule(Expression value) {
    return value instanceof Expression.Call call
        && call.function() instanceof Expression.NameReference name
        && Set.of("constant", "linear", "cosine", "warmup").contains(name.name());
  }

  // Sweeps.

  private List<Choice> choices() {
    ExperimentStatement.Setting train = required("train");
    List<Expression> objectives =
        train.value() instanceof Expression.ListLiteral list
            ? list.elements()
            : List.of(train.value());
    if (objectives.isEmpty()) {
      throw fail(BAD_SETTING, train.span(), "there is nothing to train", "name an objective");
    }
    List<Choice> choices = new ArrayList<>();
    Map<String, Expression> unclaimed = new LinkedHashMap<>(overrides.parameters());
    boolean several = objectives.size() > 1;
    List<Team> teams = objectives.stream().map(this::team).toList();
    boolean differ = teams.stream().map(Team::kind).distinct().count() > 1;
    for (Team team : teams) {
      List<ObjectiveLookup.Found> found = new ArrayList<>();
      Map<Axis, List<Expression>> axes = new LinkedHashMap<>();
      for (Expression member : team.members()) {
        int index = found.size();
        found.add(objective(member));
        parameters(found.getLast(), member)
            .forEach((name, values) -> axes.put(new Axis(index, name), values));
        overrides
            .parameters()
            .forEach((name, value) -> {
              // Of several objectives, those take a value that have the parameter.
              if (objectives.size() == 1 && team.members().size() == 1
                  || declares(found.getLast().declaration(), name)) {
                axes.put(new Axis(index, name), List.of(value));
                unclaimed.remove(name);
              }
            });
      }
      requireDistinct(team, found);
      expand(team, found, axes, several, differ, choices);
    }
    unclaimed.forEach((name, value) -> {
      throw fail(
          DiagnosticCode.UNKNOWN_NAME,
          value.span(),
          "no objective that is trained has a parameter called `" + name + "`",
          "`train` names them");
    });
    return choices;
  }

  /** A parameter of one objective of a team. */
  private record Axis(int member, String parameter) {}

  /** {@code alternate(A(), B(), every = [1, 5])}, {@code stages(A(), B(), steps = [100, 50])}. */
  private Team team(Expression expression) {
    boolean turns =
        expression instanceof Expression.Call call
            && call.function() instanceof Expression.NameReference name
            && TURNS.contains(name.name())
            && ObjectiveLookup.find(name, scope).isEmpty();
    if (!turns) {
      return new Team(List.of(expression), ExperimentPlan.Turns.Alternate.ALONE);
    }
    Expression.Call call = (Expression.Call) expression;
    if (call.function().span().text().equals("bilevel")) {
      return bilevel(call);
    }
    boolean stages = call.function().span().text().equals("stages");
    String option = stages ? "steps" : "every";
    List<Expression> members = new ArrayList<>();
    Optional<Expression.Argument> numbers = Optional.empty();
    for (Expression.Argument argument : call.arguments()) {
      if (argument.name().isEmpty()) {
        members.add(argument.value());
      } else if (argument.name().get().equals(option) && numbers.isEmpty()) {
        numbers = Optional.of(argument);
      } else {
        throw fail(
            BAD_SETTING,
            argument.span(),
            "`%s` takes objectives and `%s`".formatted(call.function().span().text(), option),
            stages
                ? "write `stages(Fit(), Improve(), steps = [100, 200])`"
                : "write `alternate(Fit(), Improve(), every = [1, 5])`");
      }
    }
    if (members.size() < 2) {
      throw fail(
          BAD_SETTING,
          call.span(),
          "`" + call.function().span().text() + "` is for two objectives or more",
          "one alone is trained at every step: `train NAME()`");
    }
    List<Integer> counts = new ArrayList<>();
    for (Expression each :
        numbers.map(Expression.Argument::value).orElse(null) instanceof Expression.ListLiteral list
            ? list.elements()
            : List.<Expression>of()) {
      double number = number(each);
      if (number != Math.rint(number) || number < 1 || number > 1_000_000) {
        throw fail(
            BAD_SETTING,
            each.span(),
            "`" + option + "` has whole numbers of steps of at least 1",
            "write for instance `" + option + " = [1, 5]`");
      }
      counts.add((int) number);
    }
    if (numbers.isEmpty() && !stages) {
      counts.addAll(java.util.Collections.nCopies(members.size(), 1));
    }
    if (counts.size() != members.size()) {
      throw fail(
          BAD_SETTING,
          numbers.map(Expression.Argument::span).orElse(call.span()),
          "`%s` has one number for each of the %d objectives".formatted(option, members.size()),
          "write `%s = [%s]`"
              .formatted(option, String.join(", ", members.stream().map(_ -> "1").toList())));
    }
    return new Team(
        members,
        stages
            ? new ExperimentPlan.Turns.Stages(counts)
            : new ExperimentPlan.Turns.Alternate(counts));
  }

  /** {@code bilevel(Outer(), Inner(), over = w, every = 5, iterations = 20)}. */
  private Team bilevel(Expression.Call call) {
    List<Expression> members = new ArrayList<>();
    List<String> over = new ArrayList<>();
    Map<String, Integer> numbers = new LinkedHashMap<>(Map.of("every", 1, "iterations", 20));
    for (Expression.Argument argument : call.arguments()) {
      String name = argument.name().orElse("");
      if (name.isEmpty()) {
        members.add(argument.value());
      } else if (name.equals("over") && over.isEmpty()) {
        for (Expression block : sweep(argument.value())) {
          if (!(block instanceof Expression.NameReference reference)) {
            throw fail(
                BAD_SETTING,
                block.span(),
                "`over` names blocks that the inner objective learns",
                "write for instance `over = w`, or `over = [w, v]`");
          }
          over.add(reference.name());
        }
      } else if (numbers.containsKey(name)) {
        double number = number(argument.value());
        if (number != Math.rint(number) || number < 1 || number > 1_000_000) {
          throw fail(
              BAD_SETTING,
              argument.value().span(),
              "`" + name + "` is a whole number of at least 1",
              "write for instance `" + name + " = 10`");
        }
        numbers.put(name, (int) number);
      } else {
        throw fail(
            BAD_SETTING,
            argument.span(),
            "`bilevel` takes an outer and an inner objective, `over`, `every` and `iterations`",
            "write `bilevel(Outer(), Inner(), over = w)`");
      }
    }
    if (members.size() != 2 || over.isEmpty()) {
      throw fail(
          BAD_SETTING,
          call.span(),
          "`bilevel` is of an outer and an inner objective, and says what the outer one trains",
          "write `bilevel(Outer(), Inner(), over = w)`");
    }
    return new Team(
        members,
        new ExperimentPlan.Turns.Bilevel(
            over, numbers.getOrDefault("every", 1), numbers.getOrDefault("iterations", 20)));
  }

  /** Holds a bilevel training to what it is: one policy, and blocks that are the inner one's. */
  private void requireBilevel(
      ExperimentPlan.Turns.Bilevel bilevel, List<CheckedObjective> objectives) {
    CheckedObjective outer = objectives.get(0);
    CheckedObjective inner = objectives.get(1);
    Span span = required("train").span();
    Map<String, List<String>> learned = learned(inner);
    for (String block : bilevel.over()) {
      if (!List.of(block).equals(learned.get(block))) {
        throw unknown(
            BAD_SETTING,
            span,
            "`" + inner.name() + "` learns no block called `" + block + "`",
            block,
            learned.keySet(),
            "declare `learn " + block + ": batch` in it, and let its loss depend on it");
      }
    }
    if (outer.policy().isEmpty() || !outer.policy().equals(inner.policy())) {
      throw fail(
          BAD_SETTING,
          span,
          "the outer objective is about the policy that the inner one trains",
          "both declare it under one name: `policy pi`");
    }
  }

  private ObjectiveLookup.Found objective(Expression expression) {
    Expression target = expression instanceof Expression.Call call ? call.function() : expression;
    return ObjectiveLookup.find(target, scope)
        .orElseThrow(() ->
            unknown(
                BAD_SETTING,
                target.span(),
                "there is no objective `" + target.span().text() + "`",
                target.span().text(),
                scope.visible(),
                "declare it here, or import it"));
  }

  /** The values that a call of an objective gives its parameters. */
  private Map<String, List<Expression>> parameters(
      ObjectiveLookup.Found found, Expression expression) {
    List<Expression.Argument> arguments =
        expression instanceof Expression.Call call ? call.arguments() : List.of();
    int position = 0;
    Map<String, List<Expression>> parameters = new LinkedHashMap<>();
    for (Expression.Argument argument : arguments) {
      List<Declaration.Parameter> declared = found.declaration().parameters();
      String name;
      if (argument.name().isPresent()) {
        name = argument.name().get();
      } else if (position < declared.size()) {
        name = declared.get(position++).name();
      } else {
        throw fail(
            BAD_SETTING,
            argument.span(),
            "`" + found.declaration().name() + "` has no such parameter",
            "it takes " + declared.stream().map(Declaration.Parameter::name).toList());
      }
      parameters.put(name, sweep(argument.value()));
    }
    return parameters;
  }

  /** Records name objectives, so the members of a team have names of their own. */
  private void requireDistinct(Team team, List<ObjectiveLookup.Found> found) {
    Set<String> names = new HashSet<>();
    for (int i = 0; i < found.size(); i++) {
      if (!names.add(found.get(i).declaration().name())) {
        throw fail(
            BAD_SETTING,
            team.members().get(i).span(),
            "`" + found.get(i).declaration().name() + "` takes part twice",
            "each objective of a team has a name of its own");
      }
    }
  }

  private static boolean declares(Declaration.ObjectiveDeclaration objective, String parameter) {
    return objective.parameters().stream().anyMatch(p -> p.name().equals(parameter));
  }

  private void expand(
      Team team,
      List<ObjectiveLookup.Found> found,
      Map<Axis, List<Expression>> axes,
      boolean labelled,
      boolean differ,
      List<Choice> choices) {
    List<Map<Axis, Expression>> combinations = new ArrayList<>(List.of(Map.of()));
    for (Map.Entry<Axis, List<Expression>> axis : axes.entrySet()) {
      combinations = times(combinations, axis.getKey(), axis.getValue());
    }
    List<Expression> tasks = sweep(required("task").value());
    List<Expression> policies = swept("policy", "softmax_table");
    List<Expression> optimizers = swept("optimizer", "adam");
    for (Map<Axis, Expression> combination : combinations) {
      for (Expression task : tasks) {
        for (Expression policy : policies) {
          for (Expression optimizer : optimizers) {
            Map<String, String> labels = new LinkedHashMap<>();
            if (labelled) {
              labels.put(
                  "objective",
                  String.join("_", found.stream().map(f -> f.declaration().name()).toList()));
            }
            if (differ) {
              labels.put("turns", team.kind());
            }
            combination.forEach((axis, value) -> {
              List<Expression> values = axes.get(axis);
              if (values != null && values.size() > 1) {
                labels.put(label(axis, found, axes), label(value));
              }
            });
            labelPart("task", tasks, task, labels);
            labelPart("policy", policies, policy, labels);
            labelPart("optimizer", optimizers, optimizer, labels);
            List<Member> members = new ArrayList<>();
            for (int i = 0; i < found.size(); i++) {
              Map<String, Expression> schedules = new LinkedHashMap<>();
              Map<String, Expression> values = new LinkedHashMap<>();
              int index = i;
              combination.forEach((axis, value) -> {
                if (axis.member() != index) {
                  return;
                }
                values.put(axis.parameter(), value);
                if (isSchedule(value)) {
                  schedules.put(axis.parameter(), value);
                  values.put(axis.parameter(), start(value));
                }
              });
              members.add(
                  new Member(found.get(i).declaration(), found.get(i).scope(), values, schedules));
            }
            choices.add(new Choice(labels, members, team.turns(), task, policy, optimizer));
          }
        }
      }
    }
  }

  /** A swept parameter's name, behind its objective's where two objectives sweep the same name. */
  private static String label(
      Axis axis, List<ObjectiveLookup.Found> found, Map<Axis, List<Expression>> axes) {
    boolean alone =
        axes.entrySet().stream()
            .noneMatch(other ->
                other.getKey().member() != axis.member()
                    && other.getKey().parameter().equals(axis.parameter())
                    && other.getValue().size() > 1);
    return alone
        ? axis.parameter()
        : found.get(axis.member()).declaration().name() + "_" + axis.parameter();
  }

  private List<Expression> swept(String setting, String otherwise) {
    return settings.containsKey(setting)
        ? sweep(required(setting).value())
        : List.of(new Expression.NameReference(declaration.nameSpan(), otherwise));
  }

  private static void labelPart(
      String name, List<Expression> values, Expression value, Map<String, String> labels) {
    if (values.size() > 1) {
      labels.put(name, label(value));
    }
  }

  private static List<Map<Axis, Expression>> times(
      List<Map<Axis, Expression>> combinations, Axis name, List<Expression> values) {
    List<Map<Axis, Expression>> more = new ArrayList<>();
    for (Map<Axis, Expression> combination : combinations) {
      for (Expression value : values) {
        Map<Axis, Expression> next = new LinkedHashMap<>(combination);
        next.put(name, value);
        more.add(next);
        if (more.size() > 100 * MAXIMUM_POINTS) {
          return more;
        }
      }
    }
    return more;
  }

  /** A list of components sweeps them. */
  private List<Expression> sweep(Expression value) {
    List<Expression> values =
        value instanceof Expression.ListLiteral list ? list.elements() : List.of(value);
    if (values.isEmpty()) {
      throw fail(BAD_SETTING, value.span(), "this list is empty", "name at least one");
    }
    return values;
  }

  /** A swept value as tables and {@code where} show it: numbers plainly, the rest as written. */
  static String label(Expression value) {
    return switch (value) {
      case Expression.NumberLiteral number -> plain(number.value());
      case Expression.Negated negated
          when negated.operand() instanceof Expression.NumberLiteral number ->
          plain(-number.value());
      case Expression.NameReference name -> name.name();
      default -> value.span().text().replaceAll("\\s+", " ");
    };
  }

  private static String plain(double value) {
    return new BigDecimal(Double.toString(value)).stripTrailingZeros().toPlainString();
  }

  // Values.

  private ExperimentStatement.Setting required(String name) {
    ExperimentStatement.Setting setting = settings.get(name);
    if (setting == null) {
      throw fail(
          MISSING_SETTING,
          declaration.nameSpan(),
          "the experiment does not say `" + name + "`",
          switch (name) {
            case "study" -> "add `study NAME()`";
            case "task" -> "add for instance `task bandit(arms = 64)`";
            case "train" -> "add `train NAME()` with the name of an objective";
            case "steps" -> "add for instance `steps 500`";
            default -> "add `" + name + " ...`";
          });
    }
    return setting;
  }

  private int whole(String name, int otherwise, int low, int high) {
    if (!settings.containsKey(name) && otherwise >= 0) {
      return otherwise;
    }
    ExperimentStatement.Setting setting = required(name);
    double value = number(setting.value());
    if (value != Math.rint(value) || value < low || value > high) {
      throw fail(
          BAD_SETTING,
          setting.value().span(),
          "`" + name + "` is a whole number from " + low + " to " + high,
          "write for instance `" + name + " " + Math.max(low, 1) + "`");
    }
    return (int) value;
  }

  private double number(Expression value) {
    if (plainValue(value) instanceof Double number) {
      return number;
    }
    throw fail(BAD_SETTING, value.span(), "expected a number", "write it out");
  }

  private Component component(Expression expression) {
    return switch (expression) {
      case Expression.NameReference name ->
          new Component(name.name(), Map.of(), name.span().place());
      case Expression.Call call when call.function() instanceof Expression.NameReference name -> {
        Map<String, Object> arguments = new LinkedHashMap<>();
        for (Expression.Argument argument : call.arguments()) {
          String key =
              argument
                  .name()
                  .orElseThrow(() ->
                      fail(
                          BAD_SETTING,
                          argument.span(),
                          "arguments of `" + name.name() + "` are given by name",
                          "write `" + name.name() + "(name = value)`"));
          if (arguments.put(key, plainValue(argument.value())) != null) {
            throw fail(
                BAD_SETTING, argument.span(), "`" + key + "` is given twice", "remove one of them");
          }
        }
        yield new Component(name.name(), arguments, call.span().place());
      }
      default ->
          throw fail(
              BAD_SETTING,
              expression.span(),
              "expected a name with arguments",
              "write for instance `bandit(arms = 64)`");
    };
  }

  /** A Double, Boolean, String, List or Component. */
  private Object plainValue(Expression expression) {
    return switch (expression) {
      case Expression.NumberLiteral number -> number.value();
      case Expression.TruthLiteral truth -> truth.value();
      case Expression.TextLiteral text -> text.value();
      case Expression.NameReference name -> name.name();
      case Expression.ListLiteral list -> {
        List<Object> values = new ArrayList<>();
        list.elements().forEach(e -> values.add(plainValue(e)));
        yield values;
      }
      case Expression.Negated negated -> -number(negated.operand());
      case Expression.Call call -> component(call);
      case Expression.Binary binary -> {
        double left = number(binary.left());
        double right = number(binary.right());
        yield switch (binary.operator()) {
          case PLUS -> left + right;
          case MINUS -> left - right;
          case TIMES -> left * right;
          case DIVIDE -> left / right;
          case POWER -> Math.pow(left, right);
          default -> throw fail(BAD_SETTING, binary.span(), "expected a number", "write it out");
        };
      }
      default ->
          throw fail(
              BAD_SETTING,
              expression.span(),
              "expected a number, a text, a name or a list",
              "write the value out");
    };
  }
}
