package org.alignlang.compiler.codegen.tornado;

import com.palantir.javapoet.JavaFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnd;
import org.alignlang.compiler.codegen.jvm.InMemoryCompiler;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.plan.Planner;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.tornado.DeviceException;
import org.alignlang.tornado.DeviceKernel;
import org.alignlang.tornado.DeviceProgram;
import org.alignlang.tornado.TornadoDevices;

/**
 * Generates kernels for TornadoVM and runs them on its device. TornadoVM finds the classes of
 * kernels through the class path only: they are written to a folder that was on it when this
 * program started.
 */
public final class TornadoBackEnd implements BackEnd {
  /** The property that names the folder. */
  public static final String CLASSES = "align.tornado.classes";

  /** One package for each process and kernel: folders may be shared. */
  private static final AtomicInteger KERNELS = new AtomicInteger();

  @Override
  public String name() {
    return "tornado";
  }

  /** What keeps kernels from running on a device in this process; empty if nothing does. */
  public static String problem() {
    String problem = TornadoDevices.problem();
    return problem.isEmpty() && System.getProperty(CLASSES, "").isEmpty()
        ? "no folder for kernels: start Align as `align ... --device tornado`, or name a folder of"
            + " the class path with -D"
            + CLASSES
        : problem;
  }

  /**
   * Why an objective has no kernels for devices, with the operator and its place in the spec; empty
   * if it has.
   */
  public static Optional<String> refusal(CheckedObjective objective) {
    return ObjectiveProgram.reachable(objective.program().outputs()).stream()
        .filter(Planner::isOrderOfEntries)
        .findFirst()
        .map(sort ->
            ("`sort[vocab]` at %s puts whole rows of the vocabulary in order, for which kernels on"
                    + " devices have no room; other back ends run this objective")
                .formatted(sort.origin().place()));
  }

  /**
   * The Java source of an objective's kernels.
   *
   * @throws DeviceException if there is a {@link #refusal}
   */
  public static JavaFile source(CheckedObjective objective, String packageName) {
    return TornadoEmitter.emit(objective, packageName, TornadoEmitter.className(objective));
  }

  /**
   * The kernel of an objective on the device.
   *
   * @throws DeviceException if there is no device, or the objective does not fit the back end
   */
  @Override
  public ObjectiveKernel kernel(CheckedObjective objective) {
    String problem = problem();
    if (!problem.isEmpty()) {
      throw new DeviceException(problem);
    }
    String packageName =
        "align.kernel%d.k%d".formatted(ProcessHandle.current().pid(), KERNELS.incrementAndGet());
    JavaFile file = source(objective, packageName);
    return new DeviceKernel(load(packageName + "." + file.typeSpec().name(), file.toString()));
  }

  /**
   * Compiles and loads kernels.
   *
   * @param className the binary name of their class, which no other class of this process has
   * @param source its source
   * @throws DeviceException if its class cannot be put where TornadoVM finds it
   */
  public static DeviceProgram load(String className, String source) {
    Map<String, byte[]> classes = InMemoryCompiler.classes(className, source, places());
    Path folder = Path.of(System.getProperty(CLASSES, ""));
    try {
      for (Map.Entry<String, byte[]> type : classes.entrySet()) {
        Path target = folder.resolve(type.getKey().replace('.', '/') + ".class");
        Files.createDirectories(target.getParent());
        Files.write(target, type.getValue());
        deleteAtExit(folder, target);
      }
    } catch (IOException e) {
      throw new DeviceException(
          "kernels cannot be written to %s: %s".formatted(folder, e.getMessage()), e);
    }
    try {
      Class<?> type = Class.forName(className, true, ClassLoader.getSystemClassLoader());
      return (DeviceProgram) type.getConstructor().newInstance();
    } catch (ClassNotFoundException e) {
      throw new DeviceException(
          "the folder %s was not on the class path, or not there, when this program started"
              .formatted(folder),
          e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("the generated class " + className + " cannot be used", e);
    }
  }

  /** Java deletes in the opposite order: folders last. */
  private static void deleteAtExit(Path folder, Path file) {
    List<Path> all = new ArrayList<>();
    for (Path path = file; path != null && !path.equals(folder); path = path.getParent()) {
      all.add(path);
    }
    all.reversed().forEach(path -> path.toFile().deleteOnExit());
  }

  private static List<Path> places() {
    return List.of(
        InMemoryCompiler.place(DeviceProgram.class),
        ModuleLayer.boot()
            .configuration()
            .findModule("tornado.api")
            .flatMap(module -> module.reference().location())
            .map(Path::of)
            .orElseThrow(() -> new DeviceException("the place of TornadoVM's API is unknown")));
  }
}
