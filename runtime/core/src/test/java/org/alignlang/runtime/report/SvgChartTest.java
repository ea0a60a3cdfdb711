package org.alignlang.runtime.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class SvgChartTest {
  private static final double[] NONE = {};

  private static Document parse(String svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
  }

  private static List<String> texts(Document document) {
    NodeList nodes = document.getElementsByTagName("text");
    return IntStream.range(0, nodes.getLength())
        .mapToObj(i -> nodes.item(i).getTextContent())
        .toList();
  }

  private static Chart.Series line(String name, double... y) {
    double[] x = IntStream.range(0, y.length).asDoubleStream().toArray();
    return new Chart.Series(name, x, y, NONE, NONE, false);
  }

  @Test
  void showsAxesLabelsLegendBandsAndReferences() throws Exception {
    Chart.Series band =
        new Chart.Series(
            "beta = 0.5",
            new double[] {0, 100},
            new double[] {1, 2},
            new double[] {0.5, 1.5},
            new double[] {1.5, 2.5},
            false);
    Chart.Series known =
        new Chart.Series(
            "beta = 0.5", new double[] {0, 100}, new double[] {2.2, 2.2}, NONE, NONE, true);
    Document document =
        parse(SvgChart.draw(new Chart("Gold", "step", "E[gold]", List.of(band, known))));
    assertThat(texts(document))
        .contains("Gold", "step", "E[gold]", "0", "100", "1.5", "beta = 0.5", "closed form");
    NodeList paths = document.getElementsByTagName("path");
    List<String> dashes = new ArrayList<>();
    int bands = 0;
    for (int i = 0; i < paths.getLength(); i++) {
      Element path = (Element) paths.item(i);
      if (!path.getAttribute("stroke-dasharray").isEmpty()) {
        dashes.add(path.getAttribute("class"));
      }
      bands += path.getAttribute("fill-opacity").isEmpty() ? 0 : 1;
    }
    assertThat(dashes).containsExactly("l0");
    assertThat(bands).isEqualTo(1);
  }

  @Test
  void textIsEscapedAndNothingIsLoaded() throws Exception {
    String nasty = "</text><script>alert('x')</script>\"&\u0000\u001b";
    String svg =
        SvgChart.draw(new Chart(nasty, nasty, nasty, List.of(line(nasty, 1, 2), line("b", 2, 1))));
    Document document = parse(svg);
    assertThat(document.getElementsByTagName("script").getLength()).isZero();
    assertThat(svg.replace("http://www.w3.org/2000/svg", ""))
        .doesNotContain("http", "href", "url(", "<script");
  }

  @Test
  void whatIsNotFiniteBreaksTheLine() throws Exception {
    String svg =
        SvgChart.draw(
            new Chart(
                "t",
                "x",
                "y",
                List.of(line("a", 1, 2, Double.NaN, 3, Double.POSITIVE_INFINITY, 1))));
    assertThat(svg).doesNotContain("NaN").doesNotContain("nfinity");
    Element drawn = null;
    NodeList paths = parse(svg).getElementsByTagName("path");
    for (int i = 0; i < paths.getLength(); i++) {
      Element path = (Element) paths.item(i);
      drawn = path.getAttribute("class").equals("l0") ? path : drawn;
    }
    assertThat(drawn).isNotNull();
    assertThat(drawn.getAttribute("d").chars().filter(c -> c == 'M').count()).isEqualTo(3);
  }

  @Test
  void everythingLiesInThePicture() throws Exception {
    List<Chart.Series> lines = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      lines.add(line("objective = A rather long name, beta = 0." + i, i, -3.14159 * i, 1e5));
    }
    Document document = parse(SvgChart.draw(new Chart("T".repeat(300), "x", "y", lines)));
    String[] box = document.getDocumentElement().getAttribute("viewBox").split(" ");
    NodeList nodes = document.getElementsByTagName("text");
    for (int i = 0; i < nodes.getLength(); i++) {
      Element text = (Element) nodes.item(i);
      if (text.getAttribute("x").isEmpty()) {
        continue;
      }
      String size = text.getAttribute("font-size");
      double width =
          Markup.width(text.getTextContent()) * (size.isEmpty() ? 13 : Double.parseDouble(size));
      double x = Double.parseDouble(text.getAttribute("x"));
      double left =
          switch (text.getAttribute("text-anchor")) {
            case "end" -> x - width;
            case "middle" -> x - width / 2;
            default -> x;
          };
      assertThat(left).as(text.getTextContent()).isGreaterThanOrEqualTo(0);
      assertThat(left + width).isLessThanOrEqualTo(Double.parseDouble(box[2]));
      assertThat(Double.parseDouble(text.getAttribute("y")))
          .isBetween(0.0, Double.parseDouble(box[3]));
    }
  }

  @Test
  void longSeriesAreThinnedButKeepTheirPeaks() throws Exception {
    double[] y = new double[100_000];
    y[54_321] = 7;
    String svg = SvgChart.draw(new Chart("t", "x", "y", List.of(line("a", y))));
    assertThat(svg.length()).isLessThan(60_000);
    double position = Axis.of(Arrays.stream(y), false, 6).position(7);
    String peak = Markup.coordinate(8 + 29 + 320 * (1 - position));
    assertThat(svg).containsPattern("L[\\d.]+ " + peak.replace(".", "\\.") + "L");
  }

  @Test
  void anEmptyChartIsStillAChart() throws Exception {
    assertThat(texts(parse(SvgChart.draw(new Chart("Nothing", "x", "y", List.of())))))
        .contains("Nothing");
    assertThat(texts(parse(SvgChart.draw(new Chart("", "x", "y", List.of(line("a")))))))
        .contains("x", "y");
  }

  @Test
  void chartsStack() throws Exception {
    Chart chart = new Chart("one", "x", "y", List.of(line("a", 1, 2)));
    Document document =
        parse(SvgChart.stack(List.of(chart, new Chart("two", "x", "y", List.of(line("a", 1, 2))))));
    assertThat(texts(document)).contains("one", "two");
    assertThat(document.getElementsByTagName("svg").getLength()).isEqualTo(3);
  }
}
