{
  "targets": [
    {
      "target_name": "dualanodiff",
      "type": "none",
      "actions": [
        {
          "action_name": "build",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["build/Release/dualanodiff.node"],
          "action": ["node", "scripts/build-native.mjs"]
        }
      ]
    }
  ]
}
