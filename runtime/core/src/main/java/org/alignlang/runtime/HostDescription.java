package org.alignlang.runtime;

import org.alignlang.kernel.AlignVersion;

/**
 * What a run was computed on, kept beside its results.
 *
 * @param alignVersion the version of Align
 * @param javaVersion the version of the Java runtime, for example {@code 25.0.3+9}
 * @param system the operating system's name and architecture, for example {@code Linux amd64}
 * @param processors the processors that this Java process may use
 * @param maxHeapBytes the most heap that this Java process may take, in bytes
 */
public record HostDescription(
    String alignVersion, String javaVersion, String system, int processors, long maxHeapBytes) {

  /** Describes the Java process that calls it. */
  public static HostDescription current() {
    Runtime runtime = Runtime.getRuntime();
    return new HostDescription(
        AlignVersion.current(),
        Runtime.version().toString(),
        System.getProperty("os.name") + " " + System.getProperty("os.arch"),
        runtime.availableProcessors(),
        runtime.maxMemory());
  }
}
