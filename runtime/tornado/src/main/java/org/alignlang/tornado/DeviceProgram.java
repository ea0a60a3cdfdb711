package org.alignlang.tornado;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;

/** The kernels of one objective; generated code implements it. */
public interface DeviceProgram {

  /** What it reads and writes, and where. */
  DeviceLayout layout();

  /**
   * Adds the kernels to a graph as tasks, in the order in which they run.
   *
   * @param graph an empty graph
   * @param context stands for the thread in the kernels' parameters
   * @param arrays makes the arrays that are asked for
   */
  TaskGraph tasks(TaskGraph graph, KernelContext context, DeviceArrays arrays);
}
