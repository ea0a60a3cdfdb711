package org.alignlang.tornado;

import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What a device's memory allows: {@code c = a + b} over arrays on the device that are together as
 * large as a batch and its gradients.
 */
public final class DeviceTraffic implements AutoCloseable {
  private static final int ELEMENTS = 4;
  private static final int GROUP = ELEMENTS * DeviceLayout.MOST_LANES;

  private final TornadoExecutionPlan plan;
  private final GridScheduler grids = new GridScheduler();
  private final IntArray calls = new IntArray(1);
  private final IntArray evidence = new IntArray(1);
  private final int threads;

  /**
   * Arrays of so many bytes together.
   *
   * @throws DeviceException if there is no device, or too little memory on it
   */
  public DeviceTraffic(long bytes) {
    String problem = TornadoDevices.problem();
    if (!problem.isEmpty()) {
      throw new DeviceException(problem);
    }
    int groups = (int) Math.clamp(bytes / 12 / GROUP, 1, Integer.MAX_VALUE / GROUP - 1);
    threads = groups * DeviceLayout.MOST_LANES;
    FloatArray a = new FloatArray(groups * GROUP);
    FloatArray b = new FloatArray(groups * GROUP);
    FloatArray c = new FloatArray(groups * GROUP);
    a.init(1.5f);
    b.init(2.5f);
    WorkerGrid1D grid = new WorkerGrid1D(threads);
    grid.setGlobalWork(threads, 1, 1);
    grid.setLocalWork(DeviceLayout.MOST_LANES, 1, 1);
    grids.addWorkerGrid("traffic.add", grid);
    try {
      TaskGraph graph =
          new TaskGraph("traffic")
              .transferToDevice(DataTransferMode.FIRST_EXECUTION, a, b)
              .transferToDevice(DataTransferMode.EVERY_EXECUTION, calls)
              .task("add", DeviceTraffic::add, new KernelContext(), a, b, c, calls, evidence)
              .transferToHost(DataTransferMode.EVERY_EXECUTION, evidence)
              .transferToHost(DataTransferMode.UNDER_DEMAND, c);
      plan = new TornadoExecutionPlan(graph.snapshot());
    } catch (RuntimeException e) {
      throw new DeviceException(TornadoProbe.reason(e), e);
    }
  }

  /** The kernel: each thread adds four pairs. */
  public static void add(
      KernelContext context,
      FloatArray a,
      FloatArray b,
      FloatArray c,
      IntArray calls,
      IntArray evidence) {
    final int lane = context.localIdx;
    final int lanes = context.localGroupSizeX;
    final int first = context.groupIdx * ELEMENTS * lanes + lane;
    final int second = first + lanes;
    final int third = second + lanes;
    final int fourth = third + lanes;
    final float x = a.get(first) + b.get(first);
    final float y = a.get(second) + b.get(second);
    final float z = a.get(third) + b.get(third);
    final float w = a.get(fourth) + b.get(fourth);
    c.set(first, x);
    c.set(second, y);
    c.set(third, z);
    c.set(fourth, w);
    if (context.globalIdx == context.globalGroupSizeX - 1) {
      evidence.set(0, DeviceLayout.evidence(calls.get(0), context.globalGroupSizeX, lane));
    }
  }

  /**
   * Moves all of it once.
   *
   * @throws DeviceException if the device did not do it
   */
  public void run() {
    calls.set(0, calls.get(0) + 1);
    evidence.set(0, 0);
    try {
      plan.withGridScheduler(grids).execute();
    } catch (RuntimeException e) {
      throw new DeviceException(TornadoProbe.reason(e), e);
    }
    if (evidence.get(0)
        != DeviceLayout.evidence(calls.get(0), threads, DeviceLayout.MOST_LANES - 1)) {
      throw new DeviceException("the device did not move the memory that it was told to");
    }
  }

  @Override
  public void close() {
    try {
      plan.freeDeviceMemory();
      plan.close();
    } catch (TornadoExecutionPlanException | RuntimeException e) {
      throw new DeviceException(TornadoProbe.reason(e), e);
    }
  }
}
