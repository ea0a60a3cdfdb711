package org.alignlang.cli;

import java.io.PrintWriter;
import java.util.List;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.FullRenderer;
import org.alignlang.compiler.diagnostic.Palette;
import picocli.CommandLine;

/**
 * Where a command writes: data to {@code out}, everything else to {@code err}.
 *
 * @param out standard output
 * @param err standard error
 * @param outPalette the colours for standard output
 * @param errPalette the colours for standard error
 */
public record Output(PrintWriter out, PrintWriter err, Palette outPalette, Palette errPalette) {

  /** The streams of a command line, in the colours that its user asked for. */
  static Output of(CommandLine line) {
    Object root = line.getCommandSpec().root().userObject();
    Color color = root instanceof Main main ? main.color() : Color.AUTO;
    return of(line.getOut(), line.getErr(), color);
  }

  static Output of(PrintWriter out, PrintWriter err, Color color) {
    return new Output(out, err, color.palette(Color.OUT), color.palette(Color.ERR));
  }

  /** Whether standard error is a terminal. */
  public boolean errIsTerminal() {
    return Color.isTerminal(Color.ERR);
  }

  /** Shows findings on standard error, with their place in the source. */
  public void show(List<Diagnostic> diagnostics) {
    err.print(new FullRenderer(errPalette).render(diagnostics));
    err.flush();
  }

  /** Says something that is not a result, on standard error. */
  public void note(String message) {
    err.println(message);
    err.flush();
  }

  /** Says on standard error why the command fails, or a part of it. */
  public void error(String message) {
    err.println(errPalette.error("error:") + " " + message);
    err.flush();
  }
}
