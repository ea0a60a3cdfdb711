package org.alignlang.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FormatTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @Test
  void aFileThatCannotBeReadKeepsNoOtherOfItsFolderFromBeingLaidOut(@TempDir Path folder)
      throws IOException {
    Files.write(folder.resolve("a.align"), new byte[] {(byte) 0xff});
    Path spec = Files.writeString(folder.resolve("b.align"), "fun  double(x: Real)=2*x\n");

    int code = Main.run(Main.commandLine(), new String[] {"fmt", folder.toString()}, out, err);

    assertThat(code).isEqualTo(ExitCode.USAGE);
    assertThat(Files.readString(spec)).isEqualTo("fun double(x: Real) = 2 * x\n");
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("a.align", "not UTF-8", "1 file read, 1 laid out anew");
  }
}
