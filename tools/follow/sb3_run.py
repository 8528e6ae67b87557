#!/usr/bin/env python3
"""Stable-Baselines3: csv, json, log, TensorBoard, and a Monitor file, all of one run.

Needs: stable-baselines3 gymnasium tensorboard.
"""

import sys

import gymnasium
from stable_baselines3 import PPO
from stable_baselines3.common.logger import configure
from stable_baselines3.common.monitor import Monitor

RUNS = ["ppo"]
folder = sys.argv[1] + "/ppo"
model = PPO("MlpPolicy", Monitor(gymnasium.make("CartPole-v1"), folder + "/0"), n_steps=256, seed=0, device="cpu")
model.set_logger(configure(folder, ["csv", "json", "log", "tensorboard"]))
model.learn(8192, log_interval=1)
model.save(folder + "/model")
