package org.alignlang.tornado;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.alignlang.tornado.TornadoDevices.Found;
import org.alignlang.tornado.TornadoDevices.State;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.TornadoBackend;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** Asks TornadoVM what it finds. */
final class TornadoProbe {
  private TornadoProbe() {}

  static State look() {
    try {
      List<Found> found = new ArrayList<>();
      for (TornadoBackend backend : TornadoExecutionPlan.getTornadoDeviceMap().getAllBackends()) {
        for (TornadoDevice device : backend.getAllDevices()) {
          found.add(describe(device));
        }
      }
      if (found.isEmpty()) {
        return new State("TornadoVM finds no device on this machine", List.of());
      }
      Found standard = describe(TornadoExecutionPlan.DEFAULT_DEVICE);
      found.sort(Comparator.comparing(device -> !device.equals(standard)));
      return new State(unsuited(TornadoExecutionPlan.DEFAULT_DEVICE), List.copyOf(found));
    } catch (LinkageError | RuntimeException e) {
      return new State("TornadoVM does not start: " + reason(e), List.of());
    }
  }

  private static Found describe(TornadoDevice device) {
    return new Found(
        device.getTornadoVMBackend().name(),
        device.getDescription(),
        device.getDeviceType().name(),
        device.getMaxGlobalMemory());
  }

  /** Why the device that kernels would run on does not suit them; empty if it does. */
  private static String unsuited(TornadoDevice device) {
    if (device.getTornadoVMBackend().name().equals("PTX")) {
      // exp, log and tanh are approximations there, in double precision through single.
      return "TornadoVM's PTX back end computes exponentials too coarsely; use an SDK with its CUDA"
          + " or OpenCL back end";
    }
    long[] group = device.getDeviceMaxWorkgroupDimensions();
    if (group != null && group.length > 0 && group[0] < DeviceLayout.MOST_LANES) {
      return "the device %s runs %d threads in a group, and kernels need %d"
          .formatted(device.getDeviceName(), group[0], DeviceLayout.MOST_LANES);
    }
    return "";
  }

  /** The innermost reason that says something, on one line. */
  static String reason(Throwable thrown) {
    String said = thrown.getClass().getSimpleName();
    for (@Nullable Throwable t = thrown; t != null; t = t.getCause()) {
      String message = t.getMessage();
      if (message != null && !message.isBlank()) {
        said = plain(message);
      }
    }
    return said;
  }

  /** TornadoVM's messages have colours and stack traces in them. */
  private static String plain(String message) {
    String text = message.replaceAll("\u001B\\[[0-9;]*m", "");
    int trace = text.indexOf("Stacktrace:");
    return (trace < 0 ? text : text.substring(0, trace)).replaceAll("\\s+", " ").strip();
  }
}
