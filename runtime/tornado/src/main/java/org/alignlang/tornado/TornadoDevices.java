package org.alignlang.tornado;

import java.util.List;
import java.util.Optional;

/**
 * What TornadoVM finds on this machine. The first question sets it up: it reads its settings once,
 * when it is first touched.
 */
public final class TornadoDevices {
  /** What to do where TornadoVM is missing. */
  static final String REMEDY =
      "set TORNADOVM_HOME to the folder of a TornadoVM SDK for JDK 25 and start Align as"
          + " `align ... --device tornado`";

  private TornadoDevices() {}

  /**
   * A device.
   *
   * @param backend how TornadoVM reaches it, such as {@code OPENCL}
   * @param name what it is
   * @param kind {@code CPU}, {@code GPU} and the like
   * @param memory its memory in bytes
   */
  public record Found(String backend, String name, String kind, long memory) {}

  /**
   * What was found.
   *
   * @param problem what keeps kernels from running on a device in this process, or empty
   * @param devices the devices, the one that kernels run on first
   */
  record State(String problem, List<Found> devices) {}

  /** Made at the first question, and the same from then on. */
  private static final class Once {
    static final State STATE = look();
  }

  /** What keeps kernels from running on a device in this process; empty if nothing does. */
  public static String problem() {
    return Once.STATE.problem();
  }

  /** The devices, the one that kernels run on first. */
  public static List<Found> all() {
    return Once.STATE.devices();
  }

  /**
   * Whether the device can record its work and repeat it. {@code -Dalign.device.graph=false} has it
   * told every time.
   */
  static boolean records() {
    return all().getFirst().backend().equals("CUDA")
        && Boolean.parseBoolean(System.getProperty("align.device.graph", "true"));
  }

  private static State look() {
    // Nothing that names TornadoVM's classes is loaded unless they are there.
    if (ModuleLayer.boot().findModule("tornado.api").isEmpty()) {
      return new State("this Java was started without TornadoVM: " + REMEDY, List.of());
    }
    configure();
    return TornadoProbe.look();
  }

  private static void configure() {
    // A kernel that cannot be compiled is an error, and not a reason to run it in plain Java.
    System.setProperty("tornado.recover.bailout", "False");
    // The standard flags let infinities and NaN be anything.
    setUnlessSet("tornado.opencl.compiler.flags", "-w");
    setUnlessSet("tornado.enable.nativeFunctions", "False");
    // The elements of arrays begin where a line of memory does.
    setUnlessSet("tornado.panama.objectHeader", "128");
    // Its fusion of products and sums is one rounding less on one device, and fails on `p + p`.
    setUnlessSet("tornado.enable.fma", "False");
    Optional.ofNullable(System.getenv("ALIGN_DEVICE_MEMORY"))
        .filter(memory -> !memory.isBlank())
        .ifPresent(memory -> setUnlessSet("tornado.device.memory", memory));
  }

  private static void setUnlessSet(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }
}
