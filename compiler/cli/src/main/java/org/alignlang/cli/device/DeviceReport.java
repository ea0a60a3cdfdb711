package org.alignlang.cli.device;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.lang.module.ModuleFinder;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.alignlang.runtime.HostDescription;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What can run kernels here.
 *
 * @param host the Java process and its machine
 * @param vectorBytes the widest vector that the JVM's compiler uses, if it says
 * @param vectorModule whether this JDK has {@code jdk.incubator.vector}
 * @param tornado the TornadoVM SDK, or why there is none
 */
public record DeviceReport(
    HostDescription host,
    OptionalInt vectorBytes,
    boolean vectorModule,
    TornadoInstallation tornado) {

  /** Looks at this machine. */
  public static DeviceReport current() {
    return new DeviceReport(
        HostDescription.current(),
        maximumVectorSize(),
        ModuleFinder.ofSystem().find("jdk.incubator.vector").isPresent(),
        TornadoInstallation.find(System.getenv("TORNADOVM_HOME")));
  }

  /** The preferred species of the Vector API follows this setting, which costs no start of it. */
  private static OptionalInt maximumVectorSize() {
    @Nullable HotSpotDiagnosticMXBean bean =
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    try {
      int bytes = bean == null ? 0 : Integer.parseInt(bean.getVMOption("MaxVectorSize").getValue());
      return bytes > 0 ? OptionalInt.of(bytes) : OptionalInt.empty();
    } catch (IllegalArgumentException e) {
      // Another JVM than HotSpot, or one without its optimising compiler.
      return OptionalInt.empty();
    }
  }

  /** For people. */
  public String text() {
    StringBuilder text = new StringBuilder();
    line(text, "cpu", "available", cpu());
    line(text, "", "", "Java " + host.javaVersion() + " on " + host.system());
    line(text, "", "", vectors());
    boolean usable = tornado.problem().isEmpty();
    line(text, "tornado", usable ? "found" : "missing", usable ? sdk() : tornado.problem());
    return text.toString();
  }

  private static void line(StringBuilder text, String device, String state, String what) {
    text.append("%-8s %-10s %s\n".formatted(device, state, what));
  }

  private String cpu() {
    int count = host.processors();
    return "%d core%s, up to %.1f GiB of heap"
        .formatted(count, count == 1 ? "" : "s", host.maxHeapBytes() / (1024.0 * 1024 * 1024));
  }

  private String vectors() {
    String width =
        vectorBytes.isPresent()
            ? "vectors of %d bits (%d floats, %d doubles)"
                .formatted(
                    8 * vectorBytes.getAsInt(),
                    vectorBytes.getAsInt() / Float.BYTES,
                    vectorBytes.getAsInt() / Double.BYTES)
            : "no vectors that the JVM tells of";
    return vectorModule
        ? width + "; this JDK has the Vector API (jdk.incubator.vector)"
        : width + "; this JDK lacks the Vector API: use one with the module jdk.incubator.vector";
  }

  private String sdk() {
    return "the SDK in %s has %s"
        .formatted(
            tornado.home().map(Path::toString).orElse("?"), String.join(", ", tornado.backends()));
  }

  /** For programs: one object on one line. */
  public String json() {
    JsonMapper mapper = new JsonMapper();
    ObjectNode object = mapper.createObjectNode();
    object.put("version", 1);
    object.put("kind", "devices");
    ObjectNode cpu = object.putObject("cpu");
    cpu.put("available", true);
    cpu.put("cores", host.processors());
    cpu.put("java", host.javaVersion());
    cpu.put("system", host.system());
    cpu.put("max_heap_bytes", host.maxHeapBytes());
    vectorBytes.ifPresent(bytes -> cpu.put("vector_bits", 8 * bytes));
    cpu.put("vector_module", vectorModule);
    ObjectNode gpu = object.putObject("tornado");
    gpu.put("available", tornado.problem().isEmpty());
    tornado.home().ifPresent(home -> gpu.put("home", home.toString()));
    ArrayNode backends = gpu.putArray("backends");
    tornado.backends().forEach(backends::add);
    if (!tornado.problem().isEmpty()) {
      gpu.put("problem", tornado.problem());
    }
    return mapper.writeValueAsString(object) + "\n";
  }
}
