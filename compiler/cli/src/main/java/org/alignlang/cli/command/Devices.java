package org.alignlang.cli.command;

import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.device.DeviceReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code align devices}. */
@Command(
    name = "devices",
    description = "Says what can run kernels here, and what is missing for the rest.")
public final class Devices extends AlignCommand {
  @Option(names = "--json", description = "One JSON object instead of text.")
  private boolean json;

  @Override
  public Integer call() {
    DeviceReport report = DeviceReport.current();
    output().out().print(json ? report.json() : report.text());
    return ExitCode.CLEAN;
  }
}
